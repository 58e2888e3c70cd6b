//! The level of a volume: what pixels want, made coarser everywhere alike until it fits the budget for bricks.

use super::draft::Draft;
use crate::residency::bricks::detail::{
    Detail,
    estimate::{self, Sight},
};
use lucida_components::{
    camera::VolumePose,
    fault::FaultReason,
    lod::{Lod, LodPolicy},
};

/// What is shown may be so much larger than the limit before it is made coarser, and what is finer must be so much
/// smaller: an orbit along the limit does not flap. The limit leaves room for it.
const HELD: f64 = 1.1;

/// The level block of a draft that displays three axes, from a pose.
pub(super) fn choose(draft: &Draft, pose: &VolumePose) -> Result<Lod, FaultReason> {
    let image = draft.reference()?;
    let asked = draft.next.lod;
    let sight = Sight::of(&draft.next, pose);
    let limit = estimate::limit(&draft.budgets);
    let coarsest = image.levels.len() - 1;
    Ok(match asked.policy {
        LodPolicy::Auto => {
            let bias = bias(&sight, asked.bias, limit.max(sight.bytes(locked(coarsest))));
            let lod = Lod { bias, downgraded: bias > 0, ..asked };
            Lod { level: Detail::with(&draft.next, image, lod).wanted(sight.nearest_pixel()), ..lod }
        }
        LodPolicy::Locked => {
            let found = if sight.bytes(locked(asked.level)) <= limit * HELD {
                Some(asked.level)
            } else {
                finest_that_fits(&sight, asked.level + 1..coarsest + 1, limit)
            };
            let level = found.unwrap_or(coarsest);
            // Also where not even the coarsest fits: parts of it are not drawn.
            let downgraded = level != asked.level || found.is_none() || asked.downgraded;
            Lod { level, downgraded, bias: 0, ..asked }
        }
    })
}

/// The first of some levels of the reference image that fits everywhere at once.
pub(crate) fn finest_that_fits(
    sight: &Sight,
    mut levels: std::ops::Range<usize>,
    limit: f64,
) -> Option<usize> {
    levels.find(|&level| sight.bytes(locked(level)) <= limit)
}

/// The block that wants a level everywhere.
pub(crate) fn locked(level: usize) -> Lod {
    Lod { level, policy: LodPolicy::Locked, ..Lod::default() }
}

/// The smallest bias that fits; the current one within the margin. With less room than the coarsest level needs,
/// that is what everything comes to.
fn bias(sight: &Sight, current: u8, limit: f64) -> u8 {
    let bytes = |bias| sight.bytes(Lod { bias, ..Lod::default() });
    if bytes(current) > limit * HELD {
        return (current..Lod::MOST_BIAS)
            .map(|b| b + 1)
            .find(|&b| bytes(b) <= limit)
            .unwrap_or(Lod::MOST_BIAS);
    }
    let finer = (0..current).rev().take_while(|&b| bytes(b) <= limit / HELD);
    finer.last().unwrap_or(current)
}
