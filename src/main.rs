//! Start-up only.
use gesso::models::glide::*; use gesso::nn::Interrupt; use candle_core::*;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    if a[1] != "bench" {
    let mut failed = 0; let mut all = 0;
    gesso::selftest::run(std::path::Path::new(&a[1]), &candle_core::Device::Cpu, &mut |c| { all += 1; if !c.ok { failed += 1; } println!("{c}"); }).unwrap();
    println!("{failed} of {all} failed"); return; }
    let (config, hw, b) = match a[2].as_str() { "base" => (GlideConfig::public(GlideForm::Base), 64, 2), "up" => (GlideConfig::public(GlideForm::Upsample), 256, 1),
      f => (serde_json::from_slice(&std::fs::read(f).unwrap()).unwrap(), a[3].parse().unwrap(), a[4].parse().unwrap()) };
    let g = Glide::new(&config, &gesso::selftest::formula_weights(1, &Device::Cpu)).unwrap();
    let dev = Device::Cpu; let s = config.text_ctx;
    let tok = Tensor::zeros((b, s), DType::U32, &dev).unwrap(); let mask = Tensor::zeros((b, s), DType::U8, &dev).unwrap();
    let int = Interrupt::new();
    let t0 = std::time::Instant::now(); let text = g.encode_text(&tok, &mask, &int).unwrap(); eprintln!("text {:?}", t0.elapsed());
    let x = Tensor::zeros((b, 3, hw, hw), DType::F32, &dev).unwrap(); let low = Tensor::zeros((b, 3, hw / 4, hw / 4), DType::F32, &dev).unwrap();
    let ts = Tensor::full(500f32, b, &dev).unwrap();
    let fl = unet_flops(&config, hw, hw).unwrap() * b as f64;
    for _ in 0..4 { let t0 = std::time::Instant::now();
      let mut last = t0; let mut names = vec![];
      g.forward_observed(&UnetInput { x_t: &x, timesteps: &ts, text: Some(&text), known: None, keep_mask: None, low_res: Some(&low) }, &int, &mut |n, _| { let now = std::time::Instant::now(); names.push((n.to_owned(), (now - last).as_secs_f64() * 1e3)); last = now; }).unwrap();
      let e = t0.elapsed().as_secs_f64(); println!("{:.3} s {:.1} GF {:.1} GF/s", e, fl / 1e9, fl / e / 1e9);
      if std::env::var("V").is_ok() { for (n, m) in names { print!("{n}:{m:.0} "); } println!(); } }
}
