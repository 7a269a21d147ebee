//! From a number to the nearest whole one. What is below 0 or no number is 0, what is too large is the largest.

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates, which is what is wanted")]
pub(crate) fn nearest_u64(value: f64) -> u64 {
    value.round() as u64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates, which is what is wanted")]
pub(crate) fn nearest_u32(value: f64) -> u32 {
    value.round() as u32
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates, which is what is wanted")]
pub(crate) fn nearest_usize(value: f64) -> usize {
    value.round() as usize
}
