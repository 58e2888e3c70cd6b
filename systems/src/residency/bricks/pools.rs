//! Which brick stands in which slot of the GPU's brick pools, and what is known of bricks that stand nowhere.

use super::{
    super::pools::{Claim, Slot, Slots},
    grid::{BrickKey, VOXELS},
};
use lru::LruCache;
use lucida_components::dtype::Dtype;
use std::num::NonZeroUsize;

/// The pool of a brick: by the form of its values on the GPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// `u8`: `R8Unorm`.
    Byte,
    /// `u16`, and `i16` with 32768 added: `R16Unorm`.
    Short,
    /// `f32`: `R32Float`.
    Float,
    /// `u32` (labels): `R32Uint`.
    Id,
}

impl Class {
    /// Every class, in the order of its number.
    pub const ALL: [Self; 4] = [Self::Byte, Self::Short, Self::Float, Self::Id];

    /// The class of a value type.
    pub fn of(dtype: Dtype) -> Self {
        match dtype {
            Dtype::U8 => Self::Byte,
            Dtype::U16 | Dtype::I16 => Self::Short,
            Dtype::F32 => Self::Float,
            Dtype::U32 => Self::Id,
        }
    }

    /// Bytes of a brick.
    pub fn brick_bytes(self) -> u64 {
        VOXELS
            * match self {
                Self::Byte => 1,
                Self::Short => 2,
                Self::Float | Self::Id => 4,
            }
    }
}

/// Bricks of which the smallest and largest values are remembered.
const KNOWN: NonZeroUsize = NonZeroUsize::new(1 << 18).expect("not zero");

/// The largest texture of a pool, in bytes.
const LARGEST: u64 = 4 << 30;

/// The brick pools. All of them together have a budget in bytes; a class gets its part when it is first used.
#[derive(Debug)]
pub struct BrickPools {
    classes: [Slots<BrickKey>; Class::ALL.len()],
    bytes: u64,
    stamp: u64,
    known: LruCache<BrickKey, [f32; 2]>,
    /// What the slots were shared out for.
    needs: [u64; Class::ALL.len()],
}

impl BrickPools {
    /// Empty pools of `bytes` together; [`Self::share_out`] gives classes their slots.
    pub fn new(bytes: u64) -> Self {
        let none = |_| Slots::new(0);
        Self {
            classes: Class::ALL.map(none),
            bytes,
            stamp: 0,
            known: LruCache::new(KNOWN),
            needs: Default::default(),
        }
    }

    /// Gives classes their slots, where `needs` is all bricks that there are to be shown of each: all of them
    /// where they fit, else parts of the budget in proportion to their bytes. A class that keeps its number of
    /// slots keeps what is in them.
    pub fn share_out(&mut self, needs: [u64; Class::ALL.len()]) {
        if self.needs == needs {
            return;
        }
        self.needs = needs;
        let bytes = |class: Class| u128::from(needs[class as usize]) * u128::from(class.brick_bytes());
        let all: u128 = Class::ALL.into_iter().map(bytes).sum();
        for class in Class::ALL {
            let part = if all <= u128::from(self.bytes) {
                u128::from(LARGEST)
            } else {
                // No more than the budget, so it fits.
                bytes(class) * u128::from(self.bytes) / all
            };
            let most = (part.min(u128::from(LARGEST)) as u64) / class.brick_bytes();
            let slots = if needs[class as usize] == 0 { 0 } else { whole(needs[class as usize], most) };
            if slots as usize != self.classes[class as usize].count() {
                self.resize(class, slots);
            }
        }
    }

    /// A new plan begins.
    pub fn begin(&mut self, stamp: u64) {
        self.stamp = stamp;
        for slots in &mut self.classes {
            slots.begin(stamp);
        }
    }

    /// Slots of a class along x, y, z of its texture.
    pub fn layout(&self, class: Class) -> [u32; 3] {
        layout(self.classes[class as usize].count() as u32)
    }

    /// Claims a slot for a brick, whether it is there or to come.
    pub fn claim(&mut self, class: Class, key: BrickKey) -> Claim {
        self.classes[class as usize].claim(key)
    }

    /// Finds a brick without keeping it.
    pub fn peek(&self, class: Class, key: &BrickKey) -> Option<Slot> {
        self.classes[class as usize].peek(key)
    }

    /// Makes room for a brick, as [`Slots::insert`] does, and notes its smallest and largest value.
    pub fn insert(&mut self, class: Class, key: BrickKey, range: [f32; 2], missing: bool) -> Option<Slot> {
        self.note(key, range, missing);
        self.classes[class as usize].insert(key, missing).map(|(slot, _)| slot)
    }

    /// Notes the smallest and largest value of a brick. Of one with missing parts they are not known: it is to be
    /// looked at again.
    pub fn note(&mut self, key: BrickKey, range: [f32; 2], missing: bool) {
        if missing {
            self.known.pop(&key);
        } else {
            self.known.put(key, range);
        }
    }

    /// Slots of a class.
    pub fn slots(&self, class: Class) -> usize {
        self.classes[class as usize].count()
    }

    /// Slots of a class that are taken.
    pub fn used(&self, class: Class) -> usize {
        self.classes[class as usize].used()
    }

    /// The smallest and largest value of a brick that was once cut; smallest > largest where it has no number.
    pub fn known(&self, key: &BrickKey) -> Option<[f32; 2]> {
        self.known.peek(key).copied()
    }

    /// Bytes that all pools together may have.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Gives a class this many slots, empty; what it had is forgotten.
    pub fn resize(&mut self, class: Class, slots: u32) {
        self.classes[class as usize] = Slots::new(slots);
        self.classes[class as usize].begin(self.stamp);
    }
}

/// Slots for `needed` bricks, at most `most` but at least one, so that they fill their texture.
fn whole(needed: u64, most: u64) -> u32 {
    let most = most.clamp(1, u64::from(u32::MAX));
    let filled = |count: u64| layout(count as u32).iter().map(|n| u64::from(*n)).product::<u64>();
    // A layer of slots more or less: some hundred steps at most.
    let count = (1..=needed.clamp(1, most)).rev().find(|count| filled(*count) <= most).unwrap_or(1);
    filled(count) as u32
}

/// Slots along x, y, z of a texture that holds at least `count` of them: x and y as equal as possible, no side
/// over 32 slots (2048 voxels, which every Vulkan driver has).
pub fn layout(count: u32) -> [u32; 3] {
    let mut side = 1;
    while side < 32 && side * side * side < count {
        side += 1;
    }
    let x = side.min(count.max(1));
    let y = side.min(count.max(1).div_ceil(x));
    [x, y, count.max(1).div_ceil(x * y)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(pools: &BrickPools, class: Class) -> u64 {
        pools.layout(class).iter().map(|n| u64::from(*n)).product::<u64>() * class.brick_bytes()
    }

    proptest! {
        #[test]
        fn pools_fill_their_textures_and_keep_to_their_budget_and_to_what_there_is(
            needs in prop::array::uniform4(prop_oneof![Just(0_u64), 1_u64..40, 40_u64..100_000, Just(u64::MAX)]),
            budget in 1_u64 << 24..1 << 36,
        ) {
            let mut pools = BrickPools::new(budget);
            pools.share_out(needs);
            let mut all = 0;
            for class in Class::ALL {
                let (need, slots) = (needs[class as usize], pools.slots(class) as u64);
                prop_assert_eq!(slots == 0, need == 0);
                if need == 0 {
                    continue;
                }
                let bytes = bytes(&pools, class);
                prop_assert_eq!(bytes, slots * class.brick_bytes(), "every texel is a slot's");
                prop_assert!(bytes <= 4 << 30);
                prop_assert!(pools.layout(class).iter().all(|side| *side <= 32));
                prop_assert!(slots <= need.saturating_mul(2).saturating_add(8), "{slots} for {need}");
                // A class that is a very small part of all has one brick.
                all += if slots > 1 { bytes } else { 0 };
            }
            prop_assert!(all <= budget, "{all} of {budget}");
        }
    }

    #[test]
    fn a_class_that_keeps_its_slots_keeps_what_is_in_them() {
        let mut pools = BrickPools::new(1 << 30);
        pools.share_out([0, 100, 0, 0]);
        let key = |n| BrickKey {
            source: lucida_components::dataset::SourceId(1),
            level: 0,
            dims: [0, 1, 2],
            block: 0,
            at: [n, 0, 0],
        };
        assert!(pools.insert(Class::Short, key(0), [1.0, 2.0], false).is_some());
        pools.share_out([50, 100, 0, 0]);
        assert!(
            pools.peek(Class::Short, &key(0)).is_some(),
            "another class came into use, and there is room"
        );
        pools.share_out([50, 10_000, 0, 0]);
        assert!(pools.peek(Class::Short, &key(0)).is_none());
        assert_eq!(pools.known(&key(0)), Some([1.0, 2.0]), "what is known stays");
        // With missing parts it is not known any more.
        assert!(pools.insert(Class::Short, key(0), [0.0, 2.0], true).is_some());
        assert_eq!(pools.known(&key(0)), None);
    }
}
