//! HTTP and WebSockets.
