//! A value on its way to a client, before the wire gives it a form.

/// What an acknowledgement reports as applied.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing to report.
    None,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A word.
    Text(String),
    /// A list of numbers.
    Floats(Vec<f64>),
    /// Values in order.
    List(Vec<Value>),
    /// Named values, in this order.
    Map(Vec<(&'static str, Value)>),
}
