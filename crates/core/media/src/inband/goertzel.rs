//! The two tones of a key (ITU-T Q.23), heard in blocks of 5 ms by Goertzel's algorithm.
//!
//! ```text
//!   samples ──▶ blocks of 5 ms: eight frequencies, and the power of all
//!                 ├──┬──┬──┬──┬──┐
//!                 │1 │2 │2 │1 │  │ a ┐ how far the phase goes on from a to b is the tone's frequency,
//!                 │  │1 │2 │2 │1 │ b ┘ and b's length is its level
//!                 └──┴──┴──┴──┴──┘──▶ a key or none, every 5 ms, of the last 25 ms
//! ```
//! A filter that tells 1.5 % from 3.5 % by level alone needs more time than the 40 ms that a tone may last; the phase
//! tells it in 25 ms, and alike for all eight. The weights quieten the tone of the other group.

use std::f64::consts::TAU;
use std::sync::LazyLock;

/// Samples of one block.
const BLOCK: usize = 40;
/// Blocks that are looked at together.
const WINDOW: usize = 5;
const WEIGHTS: [f32; WINDOW - 1] = [1.0, 2.0, 2.0, 1.0];
/// The amplitude of a sine is this times what the weighted blocks say of it.
const SCALE: f32 = 2.0 / (6.0 * BLOCK as f32);
/// Low group, high group: a key is its row and its column (Q.23, the frequencies and their combinations).
const HERTZ: [f64; 8] = [697.0, 770.0, 852.0, 941.0, 1_209.0, 1_336.0, 1_477.0, 1_633.0];
const KEYS: [[char; 4]; 4] = [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];
/// Up to 1.5 % off is to be taken, from 3.5 % on to be refused (Q.24 table A-1, frequency tolerances): the middle.
const TOLERANCE: f64 = 0.025;
/// Each tone's power: -25 dBm is to be taken and -55 dBm to be refused (Q.24 table A-1, power levels); here -32 dBm0. A sine
/// of full scale has 3.14 dBm0 (G.711).
const WEAKEST: f32 = 32_767.0 * 32_767.0 / 2.0 * 3.06e-4;
/// The high tone may be 4 dB above the low one or 8 dB below (Q.24 table A-1, power level difference), and 2 dB more for
/// what the other tone, noise and G.711 do to what is measured in 25 ms.
const HIGH_ABOVE: f32 = 4.0;
const HIGH_BELOW: f32 = 10.0;
/// What part of all power the two tones have. Speech has more beside any two of its tones, harmonics above all: this is
/// what keeps it from being taken for keys (Q.24, digit simulation by speech).
const PURE: f32 = 0.8;
/// A block with less than this part of the window's mean power has silence in it: a window is tone from end to end.
const STEADY: f32 = 0.5;

static TUNED: LazyLock<[Tuning; 8]> = LazyLock::new(|| HERTZ.map(Tuning::new));

/// What the filter of one frequency needs.
struct Tuning {
    /// From one sample to the next.
    step: Complex,
    /// From one block to the next.
    turn: Complex,
    /// The tangent of how much more or less than that it may be.
    off: f32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Complex {
    re: f32,
    im: f32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Block {
    tones: [Complex; 8],
    /// The sum of squares.
    energy: f32,
}

/// Listens for the eight frequencies. Half a kilobyte.
#[derive(Clone, Debug, Default)]
pub(super) struct Bank {
    filters: [[f32; 2]; 8],
    energy: f32,
    /// Samples of the block that is being filled.
    fill: usize,
    /// The oldest first.
    blocks: [Block; WINDOW],
    /// How many of them have been heard.
    heard: usize,
}

/// What the last 25 ms were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sound {
    Key(char),
    Other,
}

impl Bank {
    /// One sample more. Every 5 ms it says what was heard, once 25 ms were.
    pub fn hear(&mut self, sample: i16) -> Option<Sound> {
        let sample = f32::from(sample);
        for ([before, last], tuning) in self.filters.iter_mut().zip(TUNED.iter()) {
            (*before, *last) = (*last, sample + 2.0 * tuning.step.re * *last - *before);
        }
        self.energy += sample * sample;
        self.fill += 1;
        if self.fill < BLOCK {
            return None;
        }
        self.close_block();
        (self.heard == WINDOW).then(|| self.sound())
    }

    /// What comes next does not go on from what was.
    pub fn restart(&mut self) {
        *self = Bank::default();
    }

    fn close_block(&mut self) {
        let mut block = Block { energy: self.energy, ..Block::default() };
        for ((tone, filter), tuning) in block.tones.iter_mut().zip(&self.filters).zip(TUNED.iter()) {
            let [before, last] = *filter;
            *tone = Complex { re: last - before * tuning.step.re, im: before * tuning.step.im };
        }
        self.blocks.rotate_left(1);
        self.blocks[WINDOW - 1] = block;
        self.heard = (self.heard + 1).min(WINDOW);
        (self.filters, self.energy, self.fill) = Default::default();
    }

    fn sound(&self) -> Sound {
        let mean = self.blocks.iter().map(|b| b.energy).sum::<f32>() / WINDOW as f32;
        if mean < WEAKEST * BLOCK as f32 || self.blocks.iter().any(|b| b.energy < STEADY * mean) {
            return Sound::Other;
        }
        let power: [f32; 8] = std::array::from_fn(|tone| self.power(tone));
        let (row, low) = strongest(&power[..4]);
        let (column, high) = strongest(&power[4..]);
        let loud = low >= WEAKEST && high >= WEAKEST;
        let level = high <= low * HIGH_ABOVE && low <= high * HIGH_BELOW;
        let weighted: f32 = self.blocks[1..].iter().zip(WEIGHTS).map(|(b, weight)| b.energy * weight).sum();
        let all = weighted / (6.0 * BLOCK as f32);
        if loud && level && low + high >= PURE * all { Sound::Key(KEYS[row][column]) } else { Sound::Other }
    }

    /// Mean square of the tone nearest to this frequency; 0 if it is too far off.
    fn power(&self, tone: usize) -> f32 {
        let tuning = &TUNED[tone];
        let sum = |blocks: &[Block]| {
            let add = |sum: Complex, (block, weight): (&Block, f32)| sum.times(tuning.turn).plus(block.tones[tone], weight);
            blocks.iter().zip(WEIGHTS).fold(Complex::default(), add)
        };
        let (a, b) = (sum(&self.blocks[..WINDOW - 1]), sum(&self.blocks[1..]));
        let off = b.times(a.times(tuning.turn).conjugate());
        if off.re <= 0.0 || off.im.abs() > off.re * tuning.off {
            return 0.0;
        }
        // A tone that is off is heard weaker by the weights: by (cos 1.5x + 2 cos 0.5x) / 3, where x is what it is off.
        let half = ((1.0 + off.re / off.re.hypot(off.im)) / 2.0).sqrt();
        let gain = (4.0 * half * half - 1.0) * half / 3.0;
        (b.re.powi(2) + b.im.powi(2)) * (SCALE / gain).powi(2) / 2.0
    }
}

impl Tuning {
    fn new(hertz: f64) -> Tuning {
        let step = TAU * hertz / 8_000.0;
        let block = step * BLOCK as f64;
        Tuning { step: Complex::at(step), turn: Complex::at(block), off: (block * TOLERANCE).tan() as f32 }
    }
}

impl Complex {
    fn at(angle: f64) -> Complex {
        Complex { re: angle.cos() as f32, im: angle.sin() as f32 }
    }

    fn times(self, other: Complex) -> Complex {
        Complex { re: self.re * other.re - self.im * other.im, im: self.re * other.im + self.im * other.re }
    }

    fn plus(self, other: Complex, weight: f32) -> Complex {
        Complex { re: self.re + other.re * weight, im: self.im + other.im * weight }
    }

    fn conjugate(self) -> Complex {
        Complex { re: self.re, im: -self.im }
    }
}

fn strongest(group: &[f32]) -> (usize, f32) {
    group.iter().copied().enumerate().fold((0, 0.0), |best, next| if next.1 > best.1 { next } else { best })
}
