// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Pattern`]: which channels a rule is for.

/// A channel name in which `*` stands for any characters, also none, and `?` for exactly one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Box<str>);

impl Pattern {
    /// Every text is a pattern.
    pub fn new(text: &str) -> Pattern {
        Pattern(text.into())
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the whole name matches. Takes at most as many steps as the product of both lengths.
    pub fn matches(&self, name: &str) -> bool {
        let (mut pattern, mut rest) = (self.0.chars(), name.chars());
        // Where to go on if what follows the last star does not match here.
        let mut retry: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
        loop {
            let at = rest.clone();
            match (pattern.next(), rest.next()) {
                (None, None) => return true,
                (Some('*'), _) => {
                    retry = Some((pattern.clone(), at.clone()));
                    rest = at;
                }
                (Some('?'), Some(_)) => {}
                (Some(wanted), Some(found)) if wanted == found => {}
                _ => {
                    let Some((after_star, from)) = &mut retry else { return false };
                    if from.next().is_none() {
                        return false;
                    }
                    pattern = after_star.clone();
                    rest = from.clone();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_about_the_whole_name() {
        for (pattern, yes, no) in [
            ("LOBBY_*", &["LOBBY_7", "LOBBY_"][..], &["LOBBY", "xLOBBY_7", "lobby_7"][..]),
            ("*", &["", "a", "private-a"], &[]),
            ("a?c", &["abc", "aéc"], &["ac", "abbc"]),
            ("*-GAME_*_x", &["private-GAME_1_x", "-GAME__x", "a-GAME_x_x_x"], &["GAME_1_x"]),
            ("a", &["a"], &["", "aa", "A"]),
            ("**", &["", "abc"], &[]),
            ("*a*b", &["ab", "xaxb", "aab"], &["ba", "abc"]),
        ] {
            let pattern = Pattern::new(pattern);
            for name in yes {
                assert!(pattern.matches(name), "{pattern:?} {name:?}");
            }
            for name in no {
                assert!(!pattern.matches(name), "{pattern:?} {name:?}");
            }
        }
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        let pattern = Pattern::new(&"*a".repeat(80));
        assert!(!pattern.matches(&("a".repeat(163) + "b")));
    }
}
