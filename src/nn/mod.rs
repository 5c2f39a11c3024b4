//! Layers that several networks share, with fast CPU kernels where candle's are slow.
mod interrupt;

pub use interrupt::Interrupt;
