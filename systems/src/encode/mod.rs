//! Encode: what the encoder made goes to those who watch. The hand-over of frames to the encoder's thread
//! is `lucida`'s, which fills [`Packets`].

pub mod deliver;

use bevy_ecs::prelude::*;
use lucida_components::packet::Packet;
use std::sync::Arc;

/// What the encoders made since the last turn, oldest first. Bounded by the slots of the streams.
#[derive(Resource, Debug, Default)]
pub struct Packets(pub Vec<Arc<Packet>>);
