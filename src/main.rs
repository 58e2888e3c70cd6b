//! The `lucida` command.

fn main() {}
