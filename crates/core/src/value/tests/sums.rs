// SPDX-License-Identifier: MIT OR Apache-2.0
//! Canonical text and checksums.

use super::super::sum::write_canonical;
use super::*;

fn canonical(text: &str) -> String {
    let mut out = Vec::new();
    write_canonical(&value(text).tree(), &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn rfc8785_the_examples_of_the_standard_hold() {
    let text = r#"{
        "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
        "literals": [null, true, false]
    }"#;
    let sorted = concat!(
        r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"#,
        r#""string":"€$\u000f\nA'B\"\\\\\"/"}"#
    );
    assert_eq!(canonical(text), sorted);
    // Keys are sorted by UTF-16: the emoji, a surrogate pair, stands before U+FB33.
    let text = r#"{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}"#;
    let sorted = "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\u{fb33}\":3}";
    assert_eq!(canonical(text), sorted);
    for (bits, text) in [
        (0x0000_0000_0000_0000_u64, "0"),
        (0x8000_0000_0000_0000, "0"),
        (0x0000_0000_0000_0001, "5e-324"),
        (0x8000_0000_0000_0001, "-5e-324"),
        (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
        (0x4340_0000_0000_0000, "9007199254740992"),
        (0xc340_0000_0000_0000, "-9007199254740992"),
        (0x4430_0000_0000_0000, "295147905179352830000"),
        (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
        (0x44b5_2d02_c7e1_4af6, "1e+23"),
        (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
        (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
        (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
        (0x444b_1ae4_d6e2_ef50, "1e+21"),
        (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
        (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
        (0x41b3_de43_5555_5555, "333333333.3333333"),
    ] {
        // Seventeen digits say any double exactly.
        assert_eq!(canonical(&format!("{:.17e}", f64::from_bits(bits))), text, "{bits:x}");
    }
}

#[test]
fn t027_the_sums_are_those_of_javascript() {
    let lines = include_str!("javascript.txt").lines().filter(|line| !line.starts_with("//"));
    let mut checked = 0;
    for line in lines {
        let parts: Vec<&str> = line.split('\t').collect();
        let [sum, text, expected] = parts[..] else { panic!("{line}") };
        assert_eq!(canonical(text), expected);
        assert_eq!(checksum(&value(text)).to_string(), sum, "{text}");
        checked += 1;
    }
    assert!(checked > 1000);
}

/// The vectors that the client's tests read, too.
#[test]
fn t027_the_sums_are_those_of_the_client() {
    #[derive(serde::Deserialize)]
    struct Vectors {
        values: Vec<Vector>,
    }
    #[derive(serde::Deserialize)]
    struct Vector {
        json: String,
        canonical: String,
        sum: String,
    }
    let vectors = include_str!("../../../../../clients/js/test/vectors.json");
    let vectors: Vectors = serde_json::from_str(vectors).unwrap();
    assert!(!vectors.values.is_empty());
    for vector in vectors.values {
        assert_eq!(canonical(&vector.json), vector.canonical);
        assert_eq!(checksum(&value(&vector.json)).to_string(), vector.sum, "{}", vector.json);
    }
}

#[test]
fn the_sum_is_fnv_1a() {
    assert_eq!(checksum(&value("0")).0, (0x811c_9dc5_u32 ^ 0x30).wrapping_mul(0x0100_0193));
    assert_eq!(checksum(&value("{}")), checksum(&value(" { } ")));
}
