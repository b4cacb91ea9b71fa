### What hardware detection has to tell a person

hardware-source-nvml = el controlador de NVIDIA
hardware-source-wgpu = los controladores gráficos (Vulkan, Direct3D o Metal)
hardware-source-dxgi = la interfaz gráfica de Windows (DXGI)
hardware-source-sysinfo = la lista de adaptadores gráficos del sistema
hardware-source-failed = No se ha podido consultar { $source }: { $why }. Aquí faltan las tarjetas que solo se conocen por esa vía. Inténtalo de nuevo y, si sigue igual, actualiza el controlador gráfico.
hardware-software-adapter = { $gpu } es un programa que dibuja con el procesador, no una tarjeta gráfica. No se cuenta.
hardware-integrated-dropped = { $gpu } es un gráfico integrado sin memoria propia. Ollama no lo usa salvo que se le indique, así que no se cuenta.
hardware-unified-memory = { $gpu } comparte la memoria principal con el procesador: lo que ocupe el modelo deja de estar disponible para otros programas.
hardware-mig-enabled = { $gpu } está dividida en particiones (MIG). La memoria que se muestra es la de toda la tarjeta; Ollama usa una partición.
hardware-gpu-asleep = { $gpu } está en reposo para ahorrar energía y no se ha despertado. Sus datos proceden de los registros del propio sistema.
hardware-rocm-package = Para { $gpu }, lo más rápido es el paquete adicional de Ollama para AMD (ROCm); sin él, Ollama usa Vulkan.
hardware-nvidia-driver-missing = { $gpu } está presente, pero el controlador de NVIDIA no responde, así que Ollama no puede usarla con CUDA. Instala el controlador desde nvidia.com/drivers y vuelve a empezar.
hardware-nvidia-driver-too-old = El controlador de NVIDIA es el { $driver }; para { $gpu }, Ollama necesita el { $needed } o posterior. Actualízalo desde nvidia.com/drivers.
hardware-capability-too-low = { $gpu } tiene capacidad de cómputo { $capability }. Ollama necesita 5.0 o superior, así que esta tarjeta no se puede usar.
hardware-no-flash-attention = { $gpu } (capacidad de cómputo { $capability }) no admite flash attention, por lo que su caché KV se queda en f16 y ocupa más memoria.
hardware-vram-held = { $program } ocupa { $bytes } de la memoria de { $gpu }. Si lo cierras, dejas sitio al modelo.
hardware-macos-too-old = Este equipo tiene macOS { $version }. Ollama necesita macOS 14 o posterior.
hardware-windows-too-old = Este equipo tiene Windows { $version }. Ollama necesita Windows 10 22H2 (10.0.19045) o posterior.
hardware-memory-limited = Esta sesión puede usar { $limit } de los { $total } de memoria del equipo: la limita un contenedor o un grupo de control.
hardware-on-battery = El equipo funciona con batería, lo que frena el procesador y la tarjeta gráfica. Lo que se mida ahora será menor que con corriente.
hardware-power-saving = El equipo está en modo de ahorro de energía, lo que frena el procesador y la tarjeta gráfica.
hardware-engine-exposed = El servidor de Ollama del puerto { $port } es accesible desde otros equipos y sin contraseña. Si no es lo que quieres, pon OLLAMA_HOST en 127.0.0.1.
hardware-gpu-passed-through = { $gpu } está reservada para una máquina virtual (vfio-pci). Este sistema no puede usarla.
