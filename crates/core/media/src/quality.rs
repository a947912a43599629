//! What a conversation over this leg is like to listen to, by the E-model (ITU-T G.107, narrowband).
//!
//! ```text
//!   loss, its bursts ─▶ Ie,eff ─┐
//!   round trip, jitter ─▶ Id ───┴─▶ R = 93.2 - Id - Ie,eff ─▶ MOS
//! ```
//! An estimate, and of the network only: phones, rooms and echo are those of G.107's default values. The listener's end
//! is assumed to hide losses (G.711 Appendix I), as phones do, and to hold packets back for twice the mean jitter.

use crate::Codec;
use crate::words::Stats;
use base::quality::{LegQuality, Rated, Received, Reported, Sent};
use std::time::Duration;

/// R at no delay and no loss with all parameters at their defaults (G.107 Table 2).
const BEST: f64 = 93.2;
/// Telephony's echo loss and that of the far end's own echo path, in dB (G.107 Table 2).
const TELR: f64 = 65.0;
const WEPL: f64 = 110.0;
/// Room noise and circuit noise at the listener by the defaults: Roe = -1.5 (No - RLR), 7.4 equation (7-20).
const ROE: f64 = 94.77;
/// A jitter buffer holds at least this, a packet's own 20 ms among it.
const LEAST_HELD: Duration = Duration::from_millis(40);

/// How a codec takes losses (G.113 Appendix I). The published slopes at low loss are those of these values: G.711 costs
/// about 4 R per percent with concealment and about 25 without, and 95 / Bpl is 3.8 and 22.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Impairment {
    /// Equipment impairment without loss.
    pub ie: f64,
    /// Packet-loss robustness.
    pub bpl: f64,
}

impl Impairment {
    /// G.711 in packets of 10 ms whose losses nobody hides (G.113 Appendix I, Table I.4).
    pub const G711_PLAIN: Impairment = Impairment { ie: 0.0, bpl: 4.3 };
    /// The same with the concealment of G.711 Appendix I (G.113 Appendix I, Table I.4).
    pub const G711_CONCEALED: Impairment = Impairment { ie: 0.0, bpl: 25.1 };

    /// An estimate: on the narrowband scale a wideband codec is no worse than G.711 where nothing is lost, and its losses
    /// are hidden as well. G.113 gives G.722 on the wideband scale of G.107.1 only, which
    /// has another best, and Opus not at all.
    pub const WIDEBAND_ESTIMATED: Impairment = Impairment::G711_CONCEALED;

    /// Of a codec at a listener that hides losses.
    pub fn of(codec: Codec) -> Impairment {
        match codec {
            Codec::Pcmu | Codec::Pcma => Impairment::G711_CONCEALED,
            Codec::G722 | Codec::Opus => Impairment::WIDEBAND_ESTIMATED,
        }
    }

    /// Ie,eff at this loss (0 to 1) and burst ratio (G.107 equation 7-29).
    pub fn effective(self, loss: f64, burst_ratio: f64) -> f64 {
        let percent = 100.0 * loss.clamp(0.0, 1.0);
        self.ie + (95.0 - self.ie) * percent / (percent / burst_ratio.max(1.0) + self.bpl)
    }
}

/// Mean burst by the mean burst that the same loss would have at random (G.107 clause 3, BurstR): 1 is random.
pub fn burst_ratio(loss: f64, mean_burst: f64) -> f64 {
    mean_burst * (1.0 - loss)
}

/// The delay impairment Id = Idte + Idle + Idd at this mouth-to-ear delay (G.107 clause 7.4), beyond that at none, which
/// is in the 93.2 already.
pub fn delay_impairment(one_way: Duration) -> f64 {
    let id = |ms: f64| talker_echo(ms) + listener_echo(2.0 * ms) + absolute_delay(ms);
    id(one_way.as_secs_f64() * 1_000.0) - id(0.0)
}

/// R for a delay impairment and an effective equipment impairment.
pub fn rating(id: f64, ie_eff: f64) -> f64 {
    (BEST - id - ie_eff).clamp(0.0, BEST)
}

/// MOS for R (G.107 Annex B, equation B-4).
pub fn mos(r: f64) -> f64 {
    match r {
        ..=0.0 => 1.0,
        100.0.. => 4.5,
        r => (1.0 + 0.035 * r + 7e-6 * r * (r - 60.0) * (100.0 - r)).max(1.0),
    }
}

/// A leg's counts, rated in both directions. What the peer's reports do not say is taken at its best: losses at random.
pub fn of(stats: &Stats) -> LegQuality {
    let round_trip = stats.round_trip.map(|r| Duration::from_micros(r.mean_us()));
    let rate = |packets: u64, lost: u64, bursts: u64, jitter_us: u64| {
        let Some(codec) = stats.codec.filter(|_| packets > 0) else { return Rated::default() };
        let loss = lost as f64 / (packets + lost) as f64;
        let mean_burst = if bursts == 0 { 1.0 } else { lost as f64 / bursts as f64 };
        let held = LEAST_HELD.max(Duration::from_micros(jitter_us) * 2);
        let id = delay_impairment(round_trip.unwrap_or_default() / 2 + held);
        let r = rating(id, Impairment::of(codec).effective(loss, burst_ratio(loss, mean_burst)));
        Rated { loss: Some(rounded(loss, 1e5)), r: Some(rounded(r, 10.0)), mos: Some(rounded(mos(r), 100.0)) }
    };
    let reported = stats.reported.map(|told| Reported {
        reports: told.reports,
        lost: told.lost,
        jitter_us: told.jitter_us,
        jitter_max_us: told.jitter_max_us,
        rated: rate(told.of.saturating_sub(told.lost), told.lost, 0, told.jitter_us),
    });
    LegQuality {
        codec: stats.codec.map(|codec| codec.name().to_string()).unwrap_or_default(),
        received: Received {
            packets: stats.received,
            lost: stats.lost,
            late: stats.late,
            duplicates: stats.duplicates,
            discarded: stats.discarded,
            bursts: stats.bursts,
            longest_burst: stats.longest_burst,
            mean_burst: if stats.bursts == 0 { 0.0 } else { rounded(stats.lost as f64 / stats.bursts as f64, 100.0) },
            jitter_us: stats.jitter_us,
            jitter_max_us: stats.jitter_max_us,
            rated: rate(stats.received, stats.lost, stats.bursts, stats.jitter_us),
        },
        sent: Sent { packets: stats.sent, reported },
        round_trip_us: stats.round_trip.map(|r| r.mean_us()),
        round_trip_max_us: stats.round_trip.map(|r| r.max_us),
        strangers: stats.strangers,
        excess: stats.excess,
    }
}

/// Idte: one's own voice comes back (equations 7-19 to 7-23).
fn talker_echo(ms: f64) -> f64 {
    let terv = TELR - 40.0 * ((1.0 + ms / 10.0) / (1.0 + ms / 150.0)).log10() + 6.0 * (-0.3 * ms * ms).exp();
    let re = 80.0 + 2.5 * (terv - 14.0);
    (((ROE - re) / 2.0) + ((ROE - re).powi(2) / 4.0 + 100.0).sqrt() - 1.0) * (1.0 - (-ms).exp())
}

/// Idle: the other's voice comes twice (equations 7-25 and 7-26), for a round trip in ms. Ro is near enough Roe.
fn listener_echo(round_trip_ms: f64) -> f64 {
    let rle = 10.5 * (WEPL + 7.0) * (round_trip_ms + 1.0).powf(-0.25);
    (ROE - rle) / 2.0 + ((ROE - rle).powi(2) / 4.0 + 169.0).sqrt()
}

/// Idd: too long to talk to each other (equations 7-27 and 7-28).
fn absolute_delay(ms: f64) -> f64 {
    if ms <= 100.0 {
        return 0.0;
    }
    let x = (ms / 100.0).log2();
    let bend = |x: f64| (1.0 + x.powi(6)).powf(1.0 / 6.0);
    25.0 * (bend(x) - 3.0 * bend(x / 3.0) + 2.0)
}

/// To so many steps in one.
fn rounded(value: f64, steps: f64) -> f64 {
    (value * steps).round() / steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{Told, Trips};

    fn close(is: f64, should: f64, by: f64, of: &str) {
        assert!((is - should).abs() <= by, "{of}: {is}, published {should}");
    }

    #[test]
    fn mos_of_r_is_that_of_g_107_annex_b() {
        for (r, published) in [(93.2, 4.41), (90.0, 4.34), (80.0, 4.03), (70.0, 3.60), (60.0, 3.10), (50.0, 2.58)] {
            close(mos(r), published, 0.01, &format!("R = {r}"));
        }
        assert_eq!((mos(-5.0), mos(0.0), mos(100.0), mos(120.0)), (1.0, 1.0, 4.5, 4.5));
    }

    /// G.113 Appendix I (1999) tabulated Ie of G.711 with concealment under random loss, before there was a formula.
    #[test]
    fn loss_that_is_hidden_costs_what_g_113_tabulated() {
        let table = [(0.0, 0.0), (0.01, 5.0), (0.02, 7.0), (0.03, 10.0), (0.05, 15.0), (0.07, 20.0), (0.10, 25.0)];
        for (loss, published) in table {
            close(Impairment::G711_CONCEALED.effective(loss, 1.0), published, 2.2, &format!("loss {loss}"));
        }
        let plain = Impairment::G711_PLAIN.effective(0.02, 1.0);
        close(plain, 95.0 * 2.0 / 6.3, 1e-9, "nobody hides it");
        assert!(Impairment::G711_CONCEALED.effective(0.02, 3.0) > Impairment::G711_CONCEALED.effective(0.02, 1.0));
    }

    /// R. G. Cole, J. H. Rosenbluth, "Voice over IP performance monitoring" (2001): Id = 0.024 d + 0.11 (d - 177.3)+.
    #[test]
    fn delay_costs_what_the_published_fit_says() {
        for ms in [25, 50, 100, 150, 200, 250, 300] {
            let d = f64::from(ms);
            let fit = 0.024 * d + 0.11 * (d - 177.3).max(0.0);
            close(delay_impairment(Duration::from_millis(ms as u64)), fit, 2.5, &format!("{ms} ms"));
        }
        assert_eq!(delay_impairment(Duration::ZERO), 0.0);
    }

    #[test]
    fn bursts_are_measured_against_chance() {
        close(burst_ratio(0.05, 1.0 / 0.95), 1.0, 1e-9, "the mean burst of 5 % at random");
        close(burst_ratio(0.05, 4.0), 3.8, 1e-9, "four in a row");
    }

    #[test]
    fn a_leg_is_rated_in_both_directions_and_a_silent_one_in_none() {
        let stats = Stats { codec: Some(Codec::Pcma), received: 1_000, sent: 1_000, ..Stats::default() };
        let clean = of(&stats);
        assert_eq!((clean.codec.as_str(), clean.received.rated.loss), ("PCMA", Some(0.0)));
        assert!(clean.received.rated.mos >= Some(4.38) && clean.received.rated.r < Some(93.2), "{clean:?}");
        assert_eq!((clean.sent.reported, clean.round_trip_us), (None, None));

        let told = Told { reports: 3, lost: 100, of: 1_000, jitter_us: 200_000, jitter_max_us: 300_000 };
        let trips = Trips { measured: 2, sum_us: 400_000, max_us: 250_000 };
        let bad = of(&Stats { lost: 50, bursts: 5, reported: Some(told), round_trip: Some(trips), ..stats });
        assert_eq!((bad.received.mean_burst, bad.round_trip_us, bad.round_trip_max_us), (10.0, Some(200_000), Some(250_000)));
        let reported = bad.sent.reported.unwrap();
        assert_eq!(reported.rated.loss, Some(0.1));
        assert!(reported.rated.mos < bad.received.rated.mos && bad.received.rated.mos < clean.received.rated.mos);
        assert_eq!(of(&Stats::default()).received.rated, Rated::default());
    }
}
