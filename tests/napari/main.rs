//! A client as strict as napari-cuda's own, in whole conversations with a real server: the state channel and the
//! pixels, decoded and looked at.
#![expect(clippy::unwrap_used, reason = "tests")]

mod rules;
