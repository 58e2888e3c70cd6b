//! Programs are compiled on a thread of their own: no turn waits for it.

use bevy_ecs::world::World;
use crossbeam_channel::{Receiver, Sender};
use lucida_systems::render::{
    gpu::Gpu,
    programs::{Made, Wish},
    renderer::Renderer,
};
use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    thread::{self, JoinHandle},
};

/// Programs that may wait to be compiled, or for the world to take them.
const QUEUE: usize = 64;
/// How far compiling stands behind answering and drawing (nice(2)).
const NICE: i32 = 8;

/// The thread that compiles. Dropping it ends and joins it.
pub struct Compiler {
    wishes: Option<Sender<Wish>>,
    /// What was compiled; the world waits for it among other things.
    pub made: Receiver<Made>,
    thread: Option<JoinHandle<()>>,
}

impl Compiler {
    /// Starts the thread, `lucida-compile`.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start() -> io::Result<Self> {
        // Full: the wish is refused, and made again by the next picture that needs it.
        let (wishes, wished) = crossbeam_channel::bounded::<Wish>(QUEUE);
        // A full channel holds the compiling up.
        let (out, made) = crossbeam_channel::bounded(QUEUE);
        let thread = thread::Builder::new().name("lucida-compile".into()).spawn(move || {
            if let Err(error) = rustix::process::nice(NICE) {
                tracing::debug!("compiling cannot be made nice: {error}");
            }
            for wish in wished {
                // A device that was lost meanwhile may bite; another one will be wished for.
                let compiled = catch_unwind(AssertUnwindSafe(|| wish.compile()));
                if compiled.is_ok_and(|made| out.send(made).is_err()) {
                    return;
                }
            }
        })?;
        Ok(Self { wishes: Some(wishes), made, thread: Some(thread) })
    }

    /// Before a turn: programs that were compiled come into the world.
    pub fn bring(&self, world: &mut World) {
        let Some(device) = world.get_resource::<Gpu>().map(|gpu| gpu.device.clone()) else {
            self.made.try_iter().for_each(drop);
            return;
        };
        let Some(mut renderer) = world.get_resource_mut::<Renderer>() else { return };
        renderer.programs.compile_beside();
        for made in self.made.try_iter() {
            renderer.programs.put(&device, made);
        }
    }

    /// After a turn: what it wishes for is to be compiled.
    pub fn take(&self, world: &mut World) {
        let Some(mut renderer) = world.get_resource_mut::<Renderer>() else { return };
        for wish in renderer.programs.take_wishes() {
            let spec = wish.spec.clone();
            let sent = self.wishes.as_ref().map(|wishes| wishes.try_send(wish));
            if !matches!(sent, Some(Ok(()))) {
                renderer.programs.refuse(&spec);
            }
        }
    }
}

impl Drop for Compiler {
    fn drop(&mut self) {
        self.wishes = None;
        // Whoever waits to hand a program over shall not.
        self.made = crossbeam_channel::never();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the compiling thread had panicked");
        }
    }
}
