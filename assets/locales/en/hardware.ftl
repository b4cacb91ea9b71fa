### What hardware detection has to tell a person

hardware-source-nvml = NVIDIA's driver
hardware-source-wgpu = The graphics drivers (Vulkan, Direct3D or Metal)
hardware-source-dxgi = Windows' graphics interface (DXGI)
hardware-source-sysinfo = The system's list of graphics adapters
hardware-source-failed = { $source } could not be asked: { $why }. Graphics cards that only it knows of are missing here. Try again; if it stays like this, update the graphics driver.
hardware-software-adapter = { $gpu } is a program that draws with the processor, not a graphics card. It is not counted.
hardware-integrated-dropped = { $gpu } is integrated graphics without memory of its own. Ollama does not use it unless told to, so it is not counted.
hardware-unified-memory = { $gpu } shares the main memory with the processor: what the model takes there is no longer available to other programs.
hardware-mig-enabled = { $gpu } is cut into slices (MIG). The memory shown is that of the whole card; Ollama uses one slice.
hardware-gpu-asleep = { $gpu } is asleep to save power and was not woken. Its figures come from the system's own records.
hardware-rocm-package = For { $gpu }, Ollama's extra package for AMD (ROCm) is the fastest way; without it Ollama uses Vulkan.
hardware-nvidia-driver-missing = { $gpu } is there, but NVIDIA's driver does not answer, so Ollama cannot use it with CUDA. Install the driver from nvidia.com/drivers and start again.
hardware-nvidia-driver-too-old = The NVIDIA driver is { $driver }; for { $gpu } Ollama needs { $needed } or newer. Update it from nvidia.com/drivers.
hardware-capability-too-low = { $gpu } has compute capability { $capability }. Ollama needs 5.0 or higher, so this card cannot be used.
hardware-no-flash-attention = { $gpu } (compute capability { $capability }) cannot run flash attention, so its KV cache stays at f16 and takes more memory.
hardware-vram-held = { $program } holds { $bytes } of the memory of { $gpu }. Closing it makes room for the model.
hardware-macos-too-old = This is macOS { $version }. Ollama needs macOS 14 or newer.
hardware-windows-too-old = This is Windows { $version }. Ollama needs Windows 10 22H2 (10.0.19045) or newer.
hardware-memory-limited = This session may use { $limit } of the machine's { $total } of memory: a container or control group limits it.
hardware-on-battery = The machine runs on its battery, which slows processor and graphics card. Figures measured now are lower than on mains power.
hardware-power-saving = The machine is set to save power, which slows processor and graphics card.
hardware-engine-exposed = The Ollama server on port { $port } can be reached from other machines, without a password. Unless that is intended, set OLLAMA_HOST to 127.0.0.1.
hardware-gpu-passed-through = { $gpu } is reserved for a virtual machine (vfio-pci). This system cannot use it.
