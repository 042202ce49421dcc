// SPDX-License-Identifier: MIT OR Apache-2.0
//! [`Error`]: why a request was not done, and how it is told.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// Why a request was not done. The texts are for the person at the page.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{0}")]
    Invalid(String),
    #[error("{0}")]
    Forbidden(&'static str),
    #[error("{0}")]
    NotFound(&'static str),
    #[error("{0}")]
    Conflict(String),
    #[error("{0}")]
    TooMany(String),
    #[error("Please sign in first.")]
    SignedOut,
    #[error("The name or the password is wrong.")]
    WrongPassword,
    #[error("Too many want something at the same moment. Please try again.")]
    Busy,
    #[error("Something went wrong here. It was written down; please try again.")]
    Database(sqlx::Error),
    #[error("Something went wrong here. It was written down; please try again.")]
    Broken(String),
}

/// What went wrong, for [`tell`](crate::middleware::errors::tell), which knows how whoever asked
/// wants to be told.
#[derive(Clone, Debug)]
pub(crate) struct Told(pub(crate) String);

impl Error {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Error::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Error::Forbidden(_) => StatusCode::FORBIDDEN,
            Error::NotFound(_) => StatusCode::NOT_FOUND,
            Error::Conflict(_) => StatusCode::CONFLICT,
            Error::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Error::SignedOut | Error::WrongPassword => StatusCode::UNAUTHORIZED,
            Error::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Error::Database(_) | Error::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Error {
        match error {
            sqlx::Error::PoolTimedOut => Error::Busy,
            error => Error::Database(error),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match &self {
            Error::Database(cause) => tracing::error!(%cause, "the database failed"),
            Error::Broken(cause) => tracing::error!(%cause, "a request failed"),
            _ => {}
        }
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Told(self.to_string()));
        response
    }
}
