//! Adjusts p-values for the size of the family, since many cells are judged at once.

#[cfg(test)]
mod tests;

/// The q-values of Benjamini and Hochberg, in the order of `p`: the smallest false discovery rate at which each would be rejected,
/// `q_(i) = min over k >= i of p_(k) m / k`, at most 1 (*Controlling the false discovery rate*, 1995).
///
/// A NaN counts as 1.
#[must_use]
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let m = p.len();
    let order = ascending(p);
    let mut q = vec![1.0; m];
    let mut smallest = 1.0_f64;
    for (rank, &place) in order.iter().enumerate().rev() {
        smallest = smallest.min(clamped(p[place]) * m as f64 / (rank + 1) as f64);
        q[place] = smallest;
    }
    q
}

/// The adjusted p-values of Holm, in the order of `p`: `max over k <= i of p_(k) (m - k + 1)`, at most 1 (*A simple sequentially
/// rejective multiple test procedure*, 1979). They bound the chance of any false alarm in the family.
///
/// A NaN counts as 1.
#[must_use]
pub fn holm(p: &[f64]) -> Vec<f64> {
    let m = p.len();
    let mut adjusted = vec![1.0; m];
    let mut largest = 0.0_f64;
    for (rank, &place) in ascending(p).iter().enumerate() {
        largest = largest.max(clamped(p[place]) * (m - rank) as f64).min(1.0);
        adjusted[place] = largest;
    }
    adjusted
}

/// The places of the p-values from the smallest to the largest; equal ones in their order.
fn ascending(p: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&left, &right| clamped(p[left]).total_cmp(&clamped(p[right])));
    order
}

fn clamped(p: f64) -> f64 {
    if p.is_nan() { 1.0 } else { p.clamp(0.0, 1.0) }
}
