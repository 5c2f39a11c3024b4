//! Start-up only.

fn main() {
    let dir = std::env::args().nth(1).unwrap();
    let mut failed = 0;
    let mut all = 0;
    gesso::selftest::run(std::path::Path::new(&dir), &candle_core::Device::Cpu, &mut |c| {
        all += 1;
        if !c.ok {
            failed += 1;
        }
        println!("{c}");
    })
    .unwrap();
    println!("{failed} of {all} failed");
}
