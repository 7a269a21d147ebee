//! Least squares of a function without a known derivative: the Levenberg-Marquardt method with finite differences.

/// How far a variable is moved to see what changes. Costs are whole nanoseconds, so that far smaller would only show rounding.
const PROBE: f64 = 0.01;
/// A step of no more than this in any variable: they are logarithms, and e is far.
const MAX_STEP: f64 = 1.0;

/// The search ends when a round gains less than this share of the sum of squares.
const MIN_GAIN: f64 = 3e-4;

/// Where a sum of squares is smallest.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Minimum {
    pub(crate) at: Vec<f64>,
    pub(crate) residuals: Vec<f64>,
    /// How each residual (row) changes with each variable (column).
    pub(crate) jacobian: Vec<Vec<f64>>,
}

impl Minimum {
    /// The sum of squares.
    #[must_use]
    pub(crate) fn sum(&self) -> f64 {
        square(&self.residuals)
    }

    /// The inverse of the normal matrix: what the residuals' variance is multiplied with to give the variables' covariance. None if the
    /// data do not tell the variables apart. Variables that nothing depends on are left out: their rows and columns are zero.
    #[must_use]
    pub(crate) fn unit_covariance(&self) -> Option<Vec<Vec<f64>>> {
        let normal = normal_matrix(&self.jacobian);
        let seen: Vec<_> = (0..normal.len()).filter(|&k| normal[k][k] > 1e-12).collect();
        let mut inverse = vec![vec![0.0; normal.len()]; normal.len()];
        for &column in &seen {
            let rows = seen.iter().map(|&k| seen.iter().map(|&l| normal[k][l]).collect()).collect();
            let unit = seen.iter().map(|&k| if k == column { 1.0 } else { 0.0 }).collect();
            for (value, &row) in solve(rows, unit)?.into_iter().zip(&seen) {
                inverse[row][column] = value;
            }
        }
        Some(inverse)
    }
}

/// Goes down from `start` until nothing is gained any more, or for so many rounds, within `low` and `high`.
pub(crate) fn minimise(
    start: &[f64],
    low: &[f64],
    high: &[f64],
    rounds: u32,
    mut residuals: impl FnMut(&[f64]) -> Vec<f64>,
) -> Minimum {
    let mut at = start.to_vec();
    let mut here = residuals(&at);
    let mut damping = 1.0;
    let mut jacobian = differences(&at, &here, &mut residuals);
    for _ in 0..rounds {
        let gained = descend(&mut at, &mut here, &jacobian, &mut damping, low, high, &mut residuals);
        jacobian = differences(&at, &here, &mut residuals);
        if gained < MIN_GAIN {
            break;
        }
    }
    Minimum { at, residuals: here, jacobian }
}

/// One step down, damped until it is one. Gives the share of the sum of squares that was gained.
fn descend(
    at: &mut Vec<f64>,
    here: &mut Vec<f64>,
    jacobian: &[Vec<f64>],
    damping: &mut f64,
    low: &[f64],
    high: &[f64],
    residuals: &mut impl FnMut(&[f64]) -> Vec<f64>,
) -> f64 {
    let (normal, before) = (normal_matrix(jacobian), square(here));
    let downhill: Vec<f64> =
        (0..at.len()).map(|k| -jacobian.iter().zip(&*here).map(|(row, r)| row[k] * r).sum::<f64>()).collect();
    // What stands on a bound and would go beyond it stays, and the others are moved as if it were fixed.
    let held: Vec<bool> =
        (0..at.len()).map(|k| (at[k] <= low[k] && downhill[k] < 0.0) || (at[k] >= high[k] && downhill[k] > 0.0)).collect();
    let downhill: Vec<f64> = downhill.into_iter().zip(&held).map(|(value, &held)| if held { 0.0 } else { value }).collect();
    for _ in 0..6 {
        let mut damped = normal.clone();
        for (k, row) in damped.iter_mut().enumerate() {
            for (l, value) in row.iter_mut().enumerate() {
                if held[k] || held[l] {
                    *value = if k == l { 1.0 } else { 0.0 };
                }
            }
        }
        for (k, row) in damped.iter_mut().enumerate() {
            row[k] += *damping * (row[k] + 0.05);
        }
        if let Some(step) = solve(damped, downhill.clone()) {
            let there: Vec<f64> =
                (0..at.len()).map(|k| (at[k] + step[k].clamp(-MAX_STEP, MAX_STEP)).clamp(low[k], high[k])).collect();
            let then = residuals(&there);
            let after = square(&then);
            if after < before {
                (*at, *here) = (there, then);
                *damping = (*damping * 0.3).max(1e-4);
                return (before - after) / before;
            }
        }
        *damping *= 4.0;
    }
    0.0
}

fn differences(at: &[f64], here: &[f64], residuals: &mut impl FnMut(&[f64]) -> Vec<f64>) -> Vec<Vec<f64>> {
    let mut jacobian = vec![vec![0.0; at.len()]; here.len()];
    for k in 0..at.len() {
        let mut moved = at.to_vec();
        moved[k] += PROBE;
        for (row, (there, here)) in jacobian.iter_mut().zip(residuals(&moved).iter().zip(here)) {
            row[k] = (there - here) / PROBE;
        }
    }
    jacobian
}

fn normal_matrix(jacobian: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let columns = jacobian.first().map_or(0, Vec::len);
    (0..columns).map(|k| (0..columns).map(|l| jacobian.iter().map(|row| row[k] * row[l]).sum()).collect()).collect()
}

fn square(residuals: &[f64]) -> f64 {
    residuals.iter().map(|r| r * r).sum()
}

/// Solves a symmetric system by elimination with pivots; none if it is singular.
fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Option<Vec<f64>> {
    let size = right.len();
    for column in 0..size {
        let pivot = (column..size).max_by(|&a, &b| matrix[a][column].abs().total_cmp(&matrix[b][column].abs()))?;
        if matrix[pivot][column].abs() < 1e-12 {
            return None;
        }
        matrix.swap(column, pivot);
        right.swap(column, pivot);
        for row in 0..size {
            let factor = matrix[row][column] / matrix[column][column];
            if row != column && factor != 0.0 {
                let pivot_row = matrix[column].clone();
                for (value, pivot) in matrix[row].iter_mut().zip(pivot_row).skip(column) {
                    *value -= factor * pivot;
                }
                right[row] -= factor * right[column];
            }
        }
    }
    Some((0..size).map(|k| right[k] / matrix[k][k]).collect())
}

#[cfg(test)]
mod tests {
    use super::{minimise, solve};

    #[test]
    fn line_fit_has_the_exact_covariance() {
        let points = [(0.0, 1.0), (1.0, 3.1), (2.0, 4.9), (3.0, 7.0)];
        let line = |at: &[f64]| points.iter().map(|&(x, y)| at[0] + at[1] * x - y).collect();
        let least = minimise(&[0.0, 0.0], &[-9.0; 2], &[9.0; 2], 40, line);
        // By the formulas for a line: slope 1.98, at the mean of 1.5 it is 4.0.
        assert!((least.at[1] - 1.98).abs() < 1e-3 && (least.at[0] - 1.03).abs() < 1e-3, "{:?}", least.at);
        let covariance = least.unit_covariance().unwrap();
        assert!((covariance[1][1] - 0.2).abs() < 1e-6 && (covariance[0][0] - 0.7).abs() < 1e-6, "{covariance:?}");
    }

    #[test]
    fn bounds_hold_and_indistinguishable_variables_have_no_covariance() {
        let bounded = minimise(&[0.0], &[-1.0], &[1.0], 40, |at| vec![at[0] - 5.0]);
        assert_eq!(bounded.at[0].to_bits(), 1f64.to_bits());
        let sum_only =
            minimise(&[0.0, 0.0], &[-9.0; 2], &[9.0; 2], 40, |at| vec![at[0] + at[1] - 1.0, 2.0 * (at[0] + at[1] - 1.0)]);
        assert_eq!(sum_only.unit_covariance(), None);
        assert_eq!(solve(vec![vec![0.0, 2.0], vec![2.0, 0.0]], vec![2.0, 4.0]), Some(vec![2.0, 1.0]));
    }
}
