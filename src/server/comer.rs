//! What a state channel begins with besides its greeting: through which port it came, and with which token.

use super::config::ServerConfig;
use crate::wire::{conventions::Dialect, hello::Hello};
use lucida_components::{
    session::{Features, Newcomer, Role},
    stream::{Canvas, Orientation},
};

/// Who comes.
#[derive(Debug, Clone, Copy)]
pub struct Comer {
    /// What is spoken on the port.
    pub dialect: Dialect,
    /// What it may do at first.
    pub role: Role,
    /// What it may give itself.
    pub most: Role,
    /// Size of its picture, where it cannot be asked for.
    canvas: Option<Canvas>,
    orientation: Orientation,
}

impl Comer {
    /// On the page's port.
    pub fn house(role: Role, most: Role) -> Self {
        Self { dialect: Dialect::House, role, most, canvas: None, orientation: Orientation::TopDown }
    }

    /// On the older protocol's port, whose client shows no token and asks for no size.
    pub fn napari(config: &ServerConfig) -> Self {
        Self {
            dialect: Dialect::Napari,
            role: Role::Controller,
            most: Role::Controller,
            canvas: Some(config.napari_canvas),
            orientation: Orientation::BottomUp,
        }
    }

    /// What the world is told of it.
    pub fn newcomer(self, hello: &Hello, features: Features) -> Newcomer {
        Newcomer {
            role: self.role,
            most: self.most,
            canvas: self.canvas,
            orientation: self.orientation,
            resume: hello.resume.clone(),
            ..Newcomer::new(features)
        }
    }
}
