//! The wire: the one module that knows JSON and the protocol.
