use super::super::plane::colours::Colours;
use crate::residency::{plan::Plan, pools::Pools};
use lucida_components::applied::ViewState;
#[derive(Clone, Copy)]
pub struct Quality {
    pub nearest: bool,
    pub step: f32,
}
impl Quality {
    pub const FULL: Self = Self { nearest: false, step: 1.0 };
    pub fn draft(is_cpu: bool, _scale: f64) -> Self {
        Self { nearest: is_cpu, step: 1.0 }
    }
}
#[derive(Default)]
pub struct Params;
pub fn gather(_: &ViewState, _: &Plan, _: &Pools, _: &mut Colours, _: Quality) -> Params {
    Params
}
