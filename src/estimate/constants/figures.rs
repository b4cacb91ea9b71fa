//! The constants by name, and what they mean.

/// A missing, unknown or invalid constant.
pub(super) struct ConstantMistake {
    pub section: String,
    pub name: String,
    pub problem: &'static str,
}

pub(super) fn mistake(section: &str, name: &str, problem: &'static str) -> ConstantMistake {
    ConstantMistake { section: section.to_owned(), name: name.to_owned(), problem }
}

/// Defines a struct of constants, each read by its name.
macro_rules! constants {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        pub(in crate::estimate) struct $name {
            $($(#[$field_meta])* pub $field: f64,)*
        }

        impl $name {
            pub(super) const NAMES: &[&str] = &[$(stringify!($field)),*];

            pub(super) fn read(
                value: &dyn Fn(&'static str) -> Result<f64, ConstantMistake>,
            ) -> Result<Self, ConstantMistake> {
                Ok(Self { $($field: value(stringify!($field))?,)* })
            }
        }
    };
}

constants! {
    /// Constants of a GPU family.
    FamilyFigures {
        /// Share of the nominal bandwidth that reading weights reaches.
        bandwidth_share,
        /// The same on chips that share memory with the processor.
        shared_bandwidth_share,
        /// Factor on the share for professional cards.
        professional_bandwidth,
        /// Seconds × TFLOPS per 10⁹ weights, if arithmetic is the only limit.
        decode_cost,
        /// Factor on `decode_cost` for K-quants.
        k_quants,
        /// Factor on the time to read weights of 2 and 3 bits.
        low_bits,
        /// Microseconds to launch the kernels of one block.
        launch_us,
        /// Factor on launches for blocks with experts.
        mixture_launches,
        /// Factor on launches with a quantised KV cache.
        quantised_launches,
        /// Multiply-adds over a quantised cache as a share of the vector units' rate; 0 if reading it is the limit.
        quantised_products,
        /// Rate at which a cache is read, as a multiple of the rate of weights.
        cache_share,
        /// Prompt throughput as a multiple of the vector units' 32-bit rate (above 1 with tensor cores).
        prefill_share,
        /// Factor on `prefill_share` for professional cards.
        professional_prefill,
        /// Factor on `prefill_share` for cards with stacked memory.
        hbm_prefill,
        /// Rate of attention over a prompt, as a multiple of `prefill_share`.
        attention_share,
        /// Assumed TFLOPS per GB/s if the card is not in the table.
        tflops_per_gb_s,
        /// Microseconds to send a block's activations to the processor and the result back.
        crossing_us,
        /// Range of decoding.
        decode_range,
        /// Range of decoding on chips that share memory with the processor.
        shared_decode_range,
        /// Range of the time to first token.
        prompt_range,
    }
}

constants! {
    /// Constants of all machines and models.
    CommonFigures {
        /// Cap on a reported bandwidth, as a multiple of the table's.
        max_over_table,
        /// Width at which a matrix reaches half of a GPU's rate.
        half_width,
        /// Share of its rate that a GPU reaches on experts.
        experts_prefill,
        /// Share of its rate that a GPU reaches on gated delta nets.
        recurrent_prefill,
        /// Factor on launches of blocks with more norms.
        norm_launches,
        /// Factor on launches of gated delta nets.
        recurrent_launches,
        /// Share of a mixture's additional launches that gated delta nets with experts have in addition.
        recurrent_mixture_launches,
        /// Nanoseconds to sample, per vocabulary entry, with the output on a GPU.
        gpu_sampling_ns,
        /// Power of a range if the chip is not known.
        unknown_chip_power,
        /// Factor on a range if a figure is from the table of cards.
        table_range,
        /// Factor on a range if a figure is a guess.
        guess_range,
        /// Least range with layers on both sides.
        partial_range,
        /// Least range of decoding with experts in main memory.
        experts_range,
        /// Least range of the time to first token with experts in main memory.
        experts_prompt_range,
    }
}

constants! {
    /// Constants of all processors.
    ProcessorFigures {
        /// Share of a measured bandwidth that reading weights reaches.
        measured_share,
        /// Share of a data sheet's bandwidth.
        nominal_share,
        /// The same for experts, which are scattered in memory.
        nominal_experts_share,
        /// Power by which the limits of cores and memory combine.
        limits_power,
        /// 10⁹ multiply-adds per second and core in one token's attention over a 16-bit cache.
        attention_products_per_core,
        /// Factor on those multiply-adds for a quantised cache.
        quantised_cache_products,
        /// Share of the rate of weights at which a cache is read.
        cache_share,
        /// Microseconds per block.
        block_us,
        /// Factor on the bytes of gated delta nets' dense weights, which are partly serial.
        recurrent_bytes,
        /// Nanoseconds × cores to sample, per vocabulary entry.
        sampling_ns,
        /// Share of its rate on prompts that attention reaches.
        attention_share,
        /// The same with a quantised cache.
        quantised_attention_share,
        /// Cap on GFLOPS per core for attention.
        attention_gflops_per_core,
        /// Share of its rate on prompts that experts reach.
        experts_prompt,
        /// Share of its rate on prompts that gated delta nets reach.
        recurrent_prompt,
        /// Factor on its rate on prompts for weights that the engine repacks.
        repacked_prompt,
        /// Range of decoding.
        decode_range,
        /// Range of the time to first token.
        prompt_range,
        /// Factor on both if the bandwidth is from a data sheet.
        nominal_range,
    }
}

constants! {
    /// Constants of transfers to a card.
    BusFigures {
        /// Share of the nominal bandwidth that large transfers reach.
        bus_share,
        /// Range of transfers.
        bus_range,
    }
}

constants! {
    /// Constants of an instruction set.
    InstructionFigures {
        /// GFLOPS per core on a prompt.
        prompt_gflops_per_core,
        /// GB/s of weights that a core dequantises in decoding.
        decode_gb_s_per_core,
    }
}

constants! {
    /// Constants of a processor's vendor.
    VendorFigures {
        /// Share of a measured dot product that whole blocks reach.
        dot_product_share,
    }
}

constants! {
    /// Constants of cards that the engine drives through Vulkan.
    VulkanFigures {
        /// [`FamilyFigures::crossing_us`] of these cards.
        crossing_us,
    }
}

constants! {
    /// Rate of copies to pinned memory.
    CopyFigures {
        /// Share of main memory's bandwidth; 0 if the rate is fixed.
        copy_share,
        /// Fixed rate in GB/s; 0 if it follows main memory's.
        copy_gb_s,
    }
}

constants! {
    /// VRAM in MiB that a driver takes for a computing process.
    DriverFigures {
        /// The least that was observed.
        driver_low_mib,
        /// The most that was observed.
        driver_high_mib,
    }
}
