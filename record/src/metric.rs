//! The metrics that have one number per trial, by name. Their formulas are in `reports`.

use serde::{Deserialize, Serialize};

use crate::engine::named;

named! {
    /// A metric with one number per trial. Times are in nanoseconds, rates per second, shares of 1.
    Metric {
        /// Median TTFT over requests.
        TtftP50Ns = "ttft_p50_ns",
        /// Its 95th percentile.
        TtftP95Ns = "ttft_p95_ns",
        /// Its 99th percentile.
        TtftP99Ns = "ttft_p99_ns",
        /// Median TTFO (time to first output: a token that is not reasoning) over requests.
        TtfoP50Ns = "ttfo_p50_ns",
        /// Median TTFE (time to the first event of any kind) over requests.
        TtfeP50Ns = "ttfe_p50_ns",
        /// Median E2EL.
        E2elP50Ns = "e2el_p50_ns",
        /// Its 95th percentile.
        E2elP95Ns = "e2el_p95_ns",
        /// Median TPOT (time per output token after the first) over requests.
        TpotP50Ns = "tpot_p50_ns",
        /// Its 95th percentile.
        TpotP95Ns = "tpot_p95_ns",
        /// Median ITL over tokens.
        ItlP50Ns = "itl_p50_ns",
        /// Its 99th percentile.
        ItlP99Ns = "itl_p99_ns",
        /// Median ICL over chunks.
        IclP50Ns = "icl_p50_ns",
        /// Its 99th percentile.
        IclP99Ns = "icl_p99_ns",
        /// Output tokens per chunk of the stream; above 1 with speculative decoding.
        TokensPerChunk = "tokens_per_chunk",
        /// Decode tok/s per user, median over requests.
        DecodeTokS = "decode_tok_s",
        /// E2E tok/s per user, median over requests.
        E2eTokS = "e2e_tok_s",
        /// Prefill tok/s, at one stream only.
        PrefillTokS = "prefill_tok_s",
        /// Output tok/s of the whole trial.
        OutputTokS = "output_tok_s",
        /// Output tok/s of the steady state.
        SteadyOutputTokS = "steady_output_tok_s",
        /// Output tokens in the fullest second of the trial.
        PeakTokS = "peak_tok_s",
        /// Mean requests in flight.
        InFlightMean = "in_flight_mean",
        /// Most requests in flight.
        InFlightPeak = "in_flight_peak",
        /// Requests offered per second, open loop.
        OfferedPerS = "offered_per_s",
        /// Requests served per second, open loop.
        AchievedPerS = "achieved_per_s",
        /// From the last arrival until nothing waits any more.
        RecoveryNs = "recovery_ns",
        /// Requests per second that met the SLO.
        GoodputPerS = "goodput_per_s",
        /// Their share of all attempted.
        Attainment = "attainment",
        /// Cached prompt tokens over prompt tokens.
        PrefixHitShare = "prefix_hit_share",
        /// Send lag, 99th percentile.
        SendLagP99Ns = "send_lag_p99_ns",
        /// The worst send lag.
        SendLagMaxNs = "send_lag_max_ns",
    }
}
