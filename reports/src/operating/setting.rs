//! The settings of a simulated comparison: noise, change, order of measuring, and rules.

use crate::{
    judge::Order,
    statistics::{
        comparison::Component,
        verdict::{Looks, Options},
    },
};

/// Standard deviations of natural logarithms.
#[derive(Debug, Clone, Copy)]
pub(super) struct Noise {
    /// Standard deviation between boots.
    pub(super) boot: f64,
    /// Whether a boot is fast or slow as a whole, in all of its cells alike; otherwise each cell has a draw of its own.
    pub(super) boot_is_shared: bool,
    /// Standard deviation between trials of a boot.
    pub(super) trial: f64,
    /// Between seeds, for cells that are compared seed by seed; the same on both sides.
    pub(super) seed: f64,
    /// Between occasions; the same in all cells.
    pub(super) occasion: f64,
}

impl Noise {
    /// Boots that differ by 1 % in all cells alike and trials that differ by 1.5 %, together 1.8 % for a boot of one trial; seeds by 3 %.
    pub(super) const USUAL: Self = Self { boot: 0.010, boot_is_shared: true, trial: 0.015, seed: 0.03, occasion: 0.0 };

    /// The usual noise with 2 % for a boot of one trial.
    pub(super) const LOUDER: Self = Self { trial: 0.017_320_508_075_688_773, ..Self::USUAL };

    /// The usual noise with independent boot effects for each cell.
    pub(super) const INDEPENDENT: Self = Self { boot_is_shared: false, ..Self::USUAL };

    /// The usual, on two occasions that differ by 0.7 %.
    pub(super) const OCCASIONS: Self = Self { occasion: 0.007, ..Self::USUAL };
}

/// The change that is simulated on the candidate's side, as a share.
#[derive(Debug, Clone, Copy)]
pub(super) enum Slowdown {
    None,
    /// A single gate on a rate of a closed loop.
    ClosedLoopGate(f64),
    /// A single gate of an open loop, which is compared seed by seed.
    OpenLoopGate(f64),
    /// Every gate on a decode rate, a TPOT or an output rate.
    Decode(f64),
    /// Every gate; below 0 the candidate is faster.
    All(f64),
}

/// The settings of a simulated comparison.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting {
    /// Boots per side, at the first look; with one, its trials are the units.
    pub(super) boots: u32,
    /// Trials of each cell per boot.
    pub(super) trials: u32,
    pub(super) noise: Noise,
    pub(super) slowdown: Slowdown,
    /// Order in which the sides are measured.
    pub(super) order: Order,
    /// How much slower the machine gets from each boot to the next, in natural logarithms; the candidate's boots are later than the baseline's
    /// where they are not interleaved.
    pub(super) drift: f64,
    /// The noise between occasions that the judge is given; used for stored sides only.
    pub(super) occasion: Component,
    pub(super) options: Options,
    pub(super) second_look: SecondLook,
}

/// Which inconclusive gate cells are measured again for a second look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SecondLook {
    /// Those in which a second look could find a change of the margin.
    Feasible,
    /// The feasible ones and those that seem worse.
    FeasibleOrSuspected,
}

impl Setting {
    /// Five boots of each side, interleaved, in which nothing changed.
    pub(super) const USUAL: Self = Self {
        boots: 5,
        trials: 1,
        noise: Noise::USUAL,
        slowdown: Slowdown::None,
        order: Order::Interleaved,
        drift: 0.0,
        occasion: Component::ASSUMED,
        options: Options::DEFAULT,
        second_look: SecondLook::Feasible,
    };

    /// With twice the boots where the first look leaves something open.
    pub(super) const TWO_LOOKS: Self = Self {
        options: Options { looks: Looks::Two, ..Options::DEFAULT },
        second_look: SecondLook::FeasibleOrSuspected,
        ..Self::USUAL
    };

    /// Against a baseline of another day, about which nothing is calibrated.
    pub(super) const STORED: Self = Self { noise: Noise::OCCASIONS, order: Order::Stored, ..Self::USUAL };

    /// A stored baseline with calibrated noise between occasions, from four of them.
    pub(super) const CALIBRATED: Self = Self { occasion: Component { sd_ln: 0.007, df: 3.0, assumed: false }, ..Self::STORED };
}
