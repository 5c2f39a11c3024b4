//! temporary: look at pictures, measure
use crate::document::{Document, Layer, LayerId};
use crate::geom::*;
use crate::gpu::*;
use crate::raster::*;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn photo(extent: Extent) -> Document {
    let mut d = Document::new(extent, "a");
    d.layers[0].pixels.update(extent.rect().into(), |x, y, row| {
        for (p, x) in row.iter_mut().zip(x..) {
            let (u, v) = (x as f32 / extent.width as f32, y as f32 / extent.height as f32);
            let n = ((x.wrapping_mul(7919) ^ y.wrapping_mul(104729)) & 15) as f32;
            let r = 120.0 + 100.0 * (u * 9.0).sin() * (v * 7.0).cos() + n;
            let g = 110.0 + 90.0 * (v * 11.0 + u * 3.0).sin() + n;
            let b = 140.0 + 80.0 * (u * 5.0 - v * 4.0).cos() + n;
            let hole = (u - 0.3).hypot(v - 0.4) < 0.12;
            *p = [r as u8, g as u8, b as u8, if hole { ((x / 2) % 256) as u8 } else { 255 }];
        }
    });
    d
}
fn save(name: &str, img: &RgbaImage) {
    std::fs::create_dir_all("out").unwrap();
    let f = std::fs::File::create(format!("out/{name}.png")).unwrap();
    let mut e = png::Encoder::new(f, img.extent().width, img.extent().height);
    e.set_color(png::ColorType::Rgba);
    e.write_header().unwrap().write_image_data(img.as_raw()).unwrap();
}
fn soft(d: &mut Document) {
    let e = d.extent;
    d.selection.cover.update(PixelRect::from(e.rect()), |x, y, row| {
        for (p, x) in row.iter_mut().zip(x..) {
            let r = (x as f32 - e.width as f32 * 0.55).hypot(y as f32 - e.height as f32 * 0.5)
                / e.width as f32;
            *p = ((1.0 - (r - 0.15) / 0.08).clamp(0.0, 1.0) * 255.0) as u8;
        }
    });
}
#[test]
fn looks() {
    let mut g = Headless::open().unwrap();
    println!("{}", g.describe());
    let mut d = photo(Extent::new(1200, 800));
    soft(&mut d);
    let view = |zoom: f32, rotation: f32| ViewTransform {
        focus: CanvasPoint::new(600.0, 400.0),
        zoom,
        rotation,
        mirrored: false,
    };
    let mut f = Frame::new(d.clone(), view(0.6, 0.0), Viewport::of_pixels(900, 600));
    f.surround = Some([40, 42, 46]);
    f.pixel_grid_from = Some(8.0);
    f.selection.color = Some([255, 64, 96, 128]);
    f.selection.ants = Some(0.3);
    save("fit", &g.render_to_image(&f).unwrap().0);
    f.transform = view(0.6, 0.5);
    save("turned", &g.render_to_image(&f).unwrap().0);
    f.transform = ViewTransform { focus: CanvasPoint::new(365.0, 320.0), ..view(16.0, 0.0) };
    save("grid", &g.render_to_image(&f).unwrap().0);
    f.transform = ViewTransform { focus: CanvasPoint::new(430.0, 330.0), ..view(12.0, 0.4) };
    save("grid_turned", &g.render_to_image(&f).unwrap().0);
    f.transform = ViewTransform { focus: CanvasPoint::new(430.0, 330.0), ..view(16.0, 0.0) };
    f.selection.color = None;
    save("ants_16", &g.render_to_image(&f).unwrap().0);
    f.transform = view(0.2, 0.0);
    f.selection.dim_outside = 0.6;
    f.overlays.push(OverlayImage {
        image: Arc::new(
            RgbaImage::from_raw(
                Extent::new(2, 2),
                vec![255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 255, 255, 0, 255],
            )
            .unwrap(),
        ),
        rect: PixelRect::new(500, 200, 400, 400),
        clip: OverlayClip::Selection,
    });
    save("small", &g.render_to_image(&f).unwrap().0);
    f.transform = view(0.6, 0.0);
    save("overlay", &g.render_to_image(&f).unwrap().0);
    let mut o = d.clone();
    o.layers[0].pixels.update(PixelRect::new(200, 100, 700, 500), |x, y, row| {
        for (p, x) in row.iter_mut().zip(x..) {
            p[0] = p[0].saturating_add(((x - 200) / 4) as u8);
            p[1] = p[1].saturating_sub(((y - 100) / 10) as u8);
        }
    });
    f.comparison = Some(Comparison { other: o, view: ComparisonView::HeatMap });
    save("heat", &g.render_to_image(&f).unwrap().0);
    f.comparison.as_mut().unwrap().view = ComparisonView::Halves;
    save("halves", &g.render_to_image(&f).unwrap().0);
}
#[test]
fn measure() {
    let mut out = String::new();
    for side in [1024u32, 8192, 16384] {
        for layers in [1u64, 5] {
            let mut g = Headless::open().unwrap();
            let e = Extent::new(side, side);
            let mut d = Document::new(e, "a");
            // One shared set of tiles of noise: memory stays small, versions too.
            let mut tile_grid = PixelGrid::new();
            tile_grid.update(PixelRect::new(0, 0, 256, 256), |x, y, row| {
                for (p, x) in row.iter_mut().zip(x..) {
                    *p = [x as u8, y as u8, (x * y) as u8, 255];
                }
            });
            let base = tile_grid.tile(TileIndex { row: 0, column: 0 }).unwrap().clone();
            tile_grid.update(PixelRect::new(0, 0, 256, 256), |_, _, row| {
                for p in row.iter_mut() {
                    p[3] = 100;
                }
            });
            let thin = tile_grid.tile(TileIndex { row: 0, column: 0 }).unwrap().clone();
            for l in 1..=layers {
                if l > 1 {
                    d.layers.push(Layer::new(LayerId(l), "x"));
                }
                let t = if l == 1 { &base } else { &thin };
                for row in 0..(side / 256) as i32 {
                    for column in 0..(side / 256) as i32 {
                        // Distinct tiles within 4096 px, so that uploads are real.
                        let tile = if row < 16 && column < 16 {
                            Arc::new(Tile::clone(t))
                        } else {
                            t.clone()
                        };
                        d.layers[l as usize - 1]
                            .pixels
                            .set_tile(TileIndex { row, column }, Some(tile));
                    }
                }
            }
            for (name, zoom) in [("100%", 1.0), ("fit", 880.0 / side as f32), ("800%", 8.0)] {
                let t = ViewTransform {
                    focus: if zoom < 1.0 {
                        CanvasPoint::new(side as f32 / 2.0, side as f32 / 2.0)
                    } else {
                        CanvasPoint::new(side.min(4096) as f32 / 2.0, side.min(4096) as f32 / 2.0)
                    },
                    zoom,
                    ..ViewTransform::default()
                };
                let mut f = Frame::new(d.clone(), t, Viewport::of_pixels(1400, 900));
                f.surround = Some([40; 3]);
                let s = Instant::now();
                let first = g.draw(&f).unwrap();
                let first_ms = s.elapsed().as_secs_f64() * 1e3;
                let mut still = Duration::MAX;
                for _ in 0..10 {
                    let s = Instant::now();
                    g.draw(&f).unwrap();
                    still = still.min(s.elapsed());
                }
                let mut pan = Duration::ZERO;
                let mut pmax = Duration::ZERO;
                for _ in 0..20 {
                    f.transform.focus.x += 17.0 / zoom;
                    let s = Instant::now();
                    g.draw(&f).unwrap();
                    pan += s.elapsed();
                    pmax = pmax.max(s.elapsed());
                }
                f.transform = t;
                g.draw(&f).unwrap();
                f.document = Document::new(Extent::new(1, 1), "");
                let mut dab = Duration::ZERO;
                let mut prep = Duration::ZERO;
                let mut bytes = 0;
                let mut dd = d.clone();
                let c = t.focus;
                for i in 0..20 {
                    dd.layers[layers as usize - 1].pixels.update(
                        PixelRect::new(c.x as i32 + i * 9, c.y as i32, 40, 40),
                        |_, _, row| row.fill([i as u8, 200, 9, 255]),
                    );
                    f.document = dd.clone();
                    let s = Instant::now();
                    let st = g.draw(&f).unwrap();
                    dab += s.elapsed();
                    prep += st.prepare_time;
                    bytes += st.uploaded_bytes;
                }
                out += &format!(
                    "{side} x{layers} {name}: first {first_ms:.1} ms ({} blocks, {} KB), still {:.1} ms, pan {:.1} ms max {:.1}, dab frame {:.1} ms, dab prepare {:.2} ms, {} B/dab\n",
                    first.composited_blocks,
                    first.uploaded_bytes / 1024,
                    still.as_secs_f64() * 1e3,
                    pan.as_secs_f64() * 50.0,
                    pmax.as_secs_f64() * 1e3,
                    dab.as_secs_f64() * 50.0,
                    prep.as_secs_f64() * 50.0,
                    bytes / 20
                );
            }
        }
    }
    println!("{out}");
}
#[test]
fn micro() {
    let mut g = Headless::open().unwrap();
    let e = Extent::new(2048, 2048);
    let mut d = Document::new(e, "a");
    d.layers[0].pixels.update(e.rect().into(), |x, y, row| {
        for (p, x) in row.iter_mut().zip(x..) {
            *p = [x as u8, y as u8, (x * y) as u8, 255];
        }
    });
    let mut thin = d.clone();
    thin.layers[0].pixels.update(e.rect().into(), |_, _, row| {
        for p in row.iter_mut() {
            p[3] = 99
        }
    });
    let mut sel = d.clone();
    soft(&mut sel);
    let t = ViewTransform {
        focus: CanvasPoint::new(1024.0, 1024.0),
        zoom: 1.0,
        ..ViewTransform::default()
    };
    let mut none = Frame::new(
        Document::new(Extent::new(1, 1), "a"),
        ViewTransform { focus: CanvasPoint::new(-3000.0, 0.0), ..t },
        Viewport::of_pixels(1400, 900),
    );
    let mut all = vec![("clear", none.clone())];
    none.surround = Some([9; 3]);
    all.push(("surround", none));
    let f = Frame::new(d.clone(), t, Viewport::of_pixels(1400, 900));
    all.push(("nearest", f.clone()));
    all.push(("linear 0.9", Frame { transform: ViewTransform { zoom: 0.9, ..t }, ..f.clone() }));
    all.push((
        "smooth turned",
        Frame { transform: ViewTransform { zoom: 1.5, rotation: 0.3, ..t }, ..f.clone() },
    ));
    all.push(("checker", Frame { document: thin, ..f.clone() }));
    all.push((
        "overlay",
        Frame {
            document: sel.clone(),
            selection: SelectionDisplay { color: Some([255, 0, 0, 99]), ..Default::default() },
            ..f.clone()
        },
    ));
    all.push((
        "ants",
        Frame {
            document: sel.clone(),
            selection: SelectionDisplay {
                color: Some([255, 0, 0, 99]),
                ants: Some(0.0),
                ..Default::default()
            },
            ..f.clone()
        },
    ));
    all.push((
        "grid",
        Frame {
            transform: ViewTransform { zoom: 16.0, ..t },
            pixel_grid_from: Some(8.0),
            ..f.clone()
        },
    ));
    all.push((
        "heat",
        Frame {
            comparison: Some(Comparison { other: sel, view: ComparisonView::HeatMap }),
            ..f.clone()
        },
    ));
    for (name, f) in all {
        g.draw(&f).unwrap();
        g.draw(&f).unwrap();
        let cpu = || {
            let s = std::fs::read_to_string("/proc/self/stat").unwrap();
            let v: Vec<&str> = s.rsplit(')').next().unwrap().split_whitespace().collect();
            v[11].parse::<f64>().unwrap() * 10.0 + v[12].parse::<f64>().unwrap() * 10.0
        };
        let n: u32 = std::env::var("N").map_or(40, |n| n.parse().unwrap());
        let before = cpu();
        let mut still = Duration::MAX;
        let mut prep = Duration::MAX;
        for _ in 0..n {
            let s = Instant::now();
            let st = g.draw(&f).unwrap();
            still = still.min(s.elapsed());
            prep = prep.min(st.prepare_time);
        }
        println!(
            "{name}: {:.1} ms, cpu {:.1} ms, prepare {:.2} ms",
            still.as_secs_f64() * 1e3,
            (cpu() - before) / f64::from(n),
            prep.as_secs_f64() * 1e3
        );
    }
    // All blocks again.
    for layers in [1, 5] {
        let mut doc = d.clone();
        for l in 2..=layers {
            let mut x = doc.layers[0].clone();
            x.id = LayerId(l);
            x.opacity = 0.9;
            doc.layers.push(x);
        }
        let mut f = Frame { document: doc, ..f.clone() };
        g.draw(&f).unwrap();
        let cpu = || {
            let s = std::fs::read_to_string("/proc/self/stat").unwrap();
            let v: Vec<&str> = s.rsplit(')').next().unwrap().split_whitespace().collect();
            v[11].parse::<f64>().unwrap() * 10.0 + v[12].parse::<f64>().unwrap() * 10.0
        };
        let before = cpu();
        let mut blocks = 0;
        for i in 0..20 {
            f.document.layers[0].opacity = 0.5 + i as f32 * 0.01;
            blocks += g.draw(&f).unwrap().composited_blocks;
        }
        println!(
            "composite {layers} layers: cpu {:.2} ms a frame, {} blocks",
            (cpu() - before) / 20.0,
            blocks / 20
        );
    }
}
