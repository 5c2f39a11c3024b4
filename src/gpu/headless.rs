//! Drawing without a window: for tests, measurements and pictures of the canvas.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake as TaskWake, Waker};

use crate::geom::{Extent, PixelRect};
use crate::gpu::adapter::{choose, describe, device_descriptor};
use crate::gpu::{CanvasRenderer, Frame, GpuError, Stats, Wake, Work};
use crate::raster::RgbaImage;

/// A graphics device of its own with a renderer.
pub struct Headless {
    device: wgpu::Device,
    queue: wgpu::Queue,
    renderer: CanvasRenderer,
    target: Option<(wgpu::Texture, wgpu::TextureView)>,
}

const FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;

impl Headless {
    /// Opens the best device that there is.
    ///
    /// # Errors
    ///
    /// When there is no graphics driver, or it does not start.
    pub fn open() -> Result<Self, GpuError> {
        let instance =
            wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
        let adapters = wait_for(instance.enumerate_adapters(wgpu::Backends::all()));
        let adapter = choose(&adapters, None)?;
        let (device, queue) =
            wait_for(adapter.request_device(&device_descriptor(&adapter))).map_err(|source| {
                GpuError::Device { adapter: describe(&adapter.get_info()), source }
            })?;
        let renderer = CanvasRenderer::new(&device, FORMAT);
        Ok(Self { device, queue, renderer, target: None })
    }

    /// The driver in words.
    #[must_use]
    pub fn describe(&self) -> String {
        describe(&self.device.adapter_info())
    }

    /// Draws a frame and waits until that is done.
    ///
    /// # Errors
    ///
    /// When the viewport is larger than the device draws, or the device is lost.
    pub fn draw(&mut self, frame: &Frame) -> Result<Stats, GpuError> {
        let (stats, encoder) = self.encode(frame)?;
        self.queue.submit([encoder.finish()]);
        self.wait()?;
        Ok(stats)
    }

    /// Brings what a frame shows to the graphics card and composites it, but draws no picture; waits
    /// until that is done.
    ///
    /// # Errors
    ///
    /// When the device is lost.
    pub fn upload(&mut self, frame: &Frame) -> Result<Stats, GpuError> {
        let stats = self.renderer.prepare(&self.device, &self.queue, frame, None);
        self.queue.submit([]);
        self.wait()?;
        Ok(stats)
    }

    /// Draws a frame and hands back the picture; what nothing is drawn over is transparent.
    ///
    /// # Errors
    ///
    /// When the viewport is larger than the device draws, or the device is lost.
    pub fn render_to_image(&mut self, frame: &Frame) -> Result<(RgbaImage, Stats), GpuError> {
        let (stats, mut encoder) = self.encode(frame)?;
        let Some((texture, _)) = &self.target else {
            return Err(GpuError::ReadBack("there is no target".to_owned()));
        };
        let size = texture.size();
        // Rows of a buffer start at multiples of this.
        let stride = (size.width * 4).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("picture"),
            size: u64::from(stride) * u64::from(size.height),
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        encoder.copy_texture_to_buffer(
            texture.as_image_copy(),
            wgpu::TexelCopyBufferInfo {
                buffer: &buffer,
                layout: wgpu::TexelCopyBufferLayout {
                    offset: 0,
                    bytes_per_row: Some(stride),
                    rows_per_image: None,
                },
            },
            size,
        );
        self.queue.submit([encoder.finish()]);
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        buffer.map_async(wgpu::MapMode::Read, .., move |result| {
            // Nobody listens any more only where waiting has failed, which is reported.
            drop(sender.send(result));
        });
        self.wait()?;
        let read_back = |error: &dyn std::fmt::Display| GpuError::ReadBack(error.to_string());
        receiver.recv().map_err(|e| read_back(&e))?.map_err(|e| read_back(&e))?;
        let bytes = buffer.get_mapped_range(..).map_err(|e| read_back(&e))?;
        let row = size.width as usize * 4;
        let pixels: Vec<u8> = bytes
            .chunks_exact(stride as usize)
            .flat_map(|padded| padded.iter().copied().take(row))
            .collect();
        let extent = Extent::new(size.width, size.height);
        let image = RgbaImage::from_raw(extent, pixels).map_err(|e| read_back(&e))?;
        Ok((image, stats))
    }

    /// As on a device that holds so many blocks of layers.
    #[cfg(test)]
    pub(super) fn limit_blocks(&mut self, limit: u32) {
        self.renderer.limit_blocks(limit);
    }

    fn encode(&mut self, frame: &Frame) -> Result<(Stats, wgpu::CommandEncoder), GpuError> {
        let area = frame.viewport.pixels();
        let (width, height) = (area.width.max(1), area.height.max(1));
        let limit = self.device.limits().max_texture_dimension_2d;
        if width > limit || height > limit {
            return Err(GpuError::TooLarge { width, height, limit });
        }
        let suits = |(target, _): &(wgpu::Texture, wgpu::TextureView)| {
            target.width() == width && target.height() == height
        };
        let target = match self.target.take() {
            Some(target) if suits(&target) => target,
            _ => target(&self.device, width, height),
        };
        // A window has other threads put blocks together and is woken when they are there.
        let wake: Option<Wake> = match frame.work {
            Work::Complete => None,
            Work::Sliced(_) => Some(Arc::new(|| {})),
        };
        let stats = self.renderer.prepare(&self.device, &self.queue, frame, wake.as_ref());
        let mut encoder =
            self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("picture"),
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: &target.1,
                depth_slice: None,
                resolve_target: None,
                ops: wgpu::Operations {
                    load: wgpu::LoadOp::Clear(wgpu::Color::TRANSPARENT),
                    store: wgpu::StoreOp::Store,
                },
            })],
            ..Default::default()
        });
        self.renderer.paint(&mut pass, (0, 0), PixelRect::new(0, 0, width, height));
        drop(pass);
        self.target = Some(target);
        Ok((stats, encoder))
    }

    fn wait(&self) -> Result<(), GpuError> {
        self.device
            .poll(wgpu::PollType::wait_indefinitely())
            .map_err(|error| GpuError::ReadBack(error.to_string()))?;
        Ok(())
    }
}

fn target(device: &wgpu::Device, width: u32, height: u32) -> (wgpu::Texture, wgpu::TextureView) {
    let texture = device.create_texture(&wgpu::TextureDescriptor {
        label: Some("picture"),
        size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: FORMAT,
        usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
        view_formats: &[],
    });
    let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
    (texture, view)
}

/// Waits for what a graphics driver has yet to answer. Drivers of this system answer at once, so
/// this seldom sleeps.
fn wait_for<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(std::thread::Thread);
    impl TaskWake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        std::thread::park();
    }
}
