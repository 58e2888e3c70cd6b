//! The token that admits a client.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use std::fmt;
use subtle::ConstantTimeEq;

/// A secret. It prints itself nowhere but through [`Token::expose`].
#[derive(Clone)]
pub struct Token(String);

/// A text that cannot be a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a token has at least {} characters, all letters, digits, '-' or '_'", Token::MIN)]
pub struct TokenError;

/// The system gave no random numbers.
#[derive(Debug, thiserror::Error)]
#[error("no random numbers for a token: {0}")]
pub struct NoRandomness(#[from] getrandom::Error);

impl Token {
    /// Fewest characters of a token given by hand.
    const MIN: usize = 16;

    /// A new one of 256 random bits.
    pub fn generate() -> Result<Self, NoRandomness> {
        let mut bits = [0; 32];
        getrandom::fill(&mut bits)?;
        Ok(Self(BASE64_URL_SAFE_NO_PAD.encode(bits)))
    }

    /// One given by hand, fit for a URL.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let fit = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if text.len() < Self::MIN || !text.bytes().all(fit) {
            return Err(TokenError);
        }
        Ok(Self(text.to_owned()))
    }

    /// The secret itself, for the one line that shows it to the person who starts the server.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `offered` is this token, in a time that does not tell how much of it is right.
    pub fn admits(&self, offered: &str) -> bool {
        self.0.as_bytes().ct_eq(offered.as_bytes()).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn tokens_are_long_differ_and_do_not_print_themselves() {
        let (a, b) = (Token::generate().unwrap(), Token::generate().unwrap());
        assert_eq!(a.expose().len(), 43, "256 bits in base64");
        assert!(
            a.admits(a.expose()) && !a.admits(b.expose()) && !a.admits("") && !a.admits(&a.expose()[1..])
        );
        assert!(!format!("{a} {a:?}").contains(a.expose()));
        assert!(Token::parse(a.expose()).unwrap().admits(a.expose()));
    }

    #[test]
    fn tokens_by_hand_are_long_enough_and_fit_a_url() {
        for bad in ["", "short", "sixteen chars & more", "ünïcödé-ünïcödé-ünïcödé"] {
            assert!(Token::parse(bad).is_err(), "{bad}");
        }
    }
}
