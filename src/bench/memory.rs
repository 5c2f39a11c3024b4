//! The most memory that the process held.

/// Starts a new peak, where the system can do that.
pub(super) fn reset_peak_memory() {
    // Linux only; elsewhere, or without the right to, the peak is simply that of the process so far.
    if let Err(error) = std::fs::write("/proc/self/clear_refs", "5") {
        log::debug!("the peak memory cannot be reset: {error}");
    }
}

/// The most memory that was resident since the last reset.
pub(super) fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib * 1024)
}
