use super::{
    super::{gpu::Gpu, record::NotDrawn, renderer::Renderer},
    params::Params,
};
pub struct Grid {
    pub canvas: [u32; 2],
    pub size: [u32; 2],
    pub from: [u32; 2],
    pub count: [u32; 2],
}
pub fn record(
    _: &mut Renderer,
    _: &Gpu,
    _: &mut wgpu::CommandEncoder,
    _: &Params,
    _: &wgpu::Buffer,
    _: &Grid,
    _: Option<wgpu::ComputePassTimestampWrites>,
) -> Result<(), NotDrawn> {
    Err(NotDrawn::Program)
}
