//! Conversions, there and back.
