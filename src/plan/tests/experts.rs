use super::*;

/// A mixture with the experts of 28 of its 48 blocks in main memory, on a card with 12 GB and 32 GB of main memory.
fn experts_in_ram(available: u64) -> Plan {
    let model = Catalogue::built_in().find("qwen3-coder:30b").expect("a model of the catalogue");
    let layers = Layers::Exactly(model.total_layers());
    let candidate = custom_candidate(model, KvCacheType::Q8_0, MIN_CONTEXT_TOKENS, layers, policy());
    let hardware = machine_with(card(12 * GIB, Some(11 * GIB)), 32 * GIB, Some(available));
    make_plan(&Candidate { n_cpu_moe: 28, num_batch: 2048, ..candidate }, &hardware, policy())
}

#[test]
fn experts_in_main_memory_are_recomputed_and_more_than_planned_is_degraded() {
    let planned = experts_in_ram(28 * GIB);
    assert_eq!((planned.setting.n_cpu_moe, planned.setting.num_batch), (28, 2048));
    let kept =
        |n_cpu_moe| planned.with_placement(planned.gpu_layers(), n_cpu_moe, planned.setting.kv_cache_type);
    let (more, same, fewer) = (kept(48), kept(28), kept(27));
    assert_eq!((more.verdict, more.setting.n_cpu_moe, more.candidate.n_cpu_moe), (Verdict::Degraded, 48, 48));
    assert!(more.memory.weights_gpu_bytes < planned.memory.weights_gpu_bytes);
    assert!(more.memory.ram_required_bytes > planned.memory.ram_required_bytes);
    assert!(more.speed.decode_tokens_per_s.mid < planned.speed.decode_tokens_per_s.mid);
    assert_eq!((same.verdict, same.memory, same.speed), (planned.verdict, planned.memory, planned.speed));
    assert_eq!(fewer.verdict, planned.verdict);
    assert!(fewer.memory.weights_gpu_bytes > planned.memory.weights_gpu_bytes);
}

/// Whatever is said of layers: with experts in main memory all of them are on the card.
#[test]
fn experts_in_main_memory_that_leave_too_much_for_the_card_are_refused() {
    let planned = experts_in_ram(28 * GIB);
    let hardware = machine_with(card(8 * GIB, Some(5 * GIB)), 32 * GIB, Some(28 * GIB));
    for layers in [Layers::Fit, Layers::Exactly(planned.total_layers)] {
        let candidate = Candidate { layers, ..planned.candidate.clone() };
        let refused = make_plan(&candidate, &hardware, policy());
        assert_eq!(refused.verdict, Verdict::Refused, "{:?}", refused.reasons);
        let need = refused.memory.vram_required_bytes;
        let short =
            |reason: &Reason| matches!(reason, Reason::VramShort { need_bytes, .. } if *need_bytes == need);
        assert!(has(&refused, short), "{:?}", refused.reasons);
    }
}

/// The engine does not save a prompt that is larger than its limit: 20 bytes a token beside its KV cache, and checkpoints.
#[test]
fn the_cache_of_earlier_prompts_has_room_for_one_full_prompt_or_is_off() {
    let parts = |plan: &Plan| {
        let memory = &plan.memory;
        let (weights, kv) = (memory.weights_ram_bytes, memory.kv_ram_bytes);
        let engine = memory.compute_ram_bytes + memory.overhead_ram_bytes;
        assert_eq!(memory.ram_required_bytes, weights + kv + engine + memory.prompt_cache_ram_bytes);
        let positions = 20 * u64::from(plan.candidate.context_tokens);
        (memory.kv_gpu_bytes + memory.kv_ram_bytes + positions, memory.prompt_cache_ram_bytes)
    };
    let roomy = experts_in_ram(28 * GIB);
    let (one_prompt, cache) = parts(&roomy);
    assert!((one_prompt..one_prompt + MIB).contains(&cache), "{cache}");
    assert_eq!(u64::from(roomy.prompt_cache_mib()) * MIB, cache);

    // One byte less than the whole need.
    let tight = experts_in_ram(roomy.memory.ram_required_bytes - 1);
    assert_eq!((parts(&tight).1, tight.prompt_cache_mib()), (0, 0));
    assert_eq!(tight.verdict, roomy.verdict, "it takes what is left and refuses nothing");

    let strict = Policy { prompt_cache_mib: roomy.prompt_cache_mib() - 1, ..policy().clone() };
    let hardware = machine_with(card(12 * GIB, Some(11 * GIB)), 32 * GIB, Some(28 * GIB));
    assert_eq!(parts(&make_plan(&roomy.candidate, &hardware, &strict)).1, 0);
}

/// A hybrid model keeps its recurrent states as checkpoints: at 32,768 tokens four, and two at the end.
#[test]
fn the_cache_of_earlier_prompts_has_room_for_checkpoints() {
    let model = Catalogue::built_in().find("qwen3.5:4b").expect("a model of the catalogue");
    let states = model.architecture.blocks.iter().filter(|block| block.cache.is_overwritten());
    let states: u64 = states.map(|block| block.cache.bytes(MIN_CONTEXT_TOKENS, 512, KvCacheType::F16)).sum();
    assert!(states > 10 * MIB, "{states}");
    let layers = Layers::Exactly(model.total_layers());
    let candidate = custom_candidate(model, KvCacheType::F16, MIN_CONTEXT_TOKENS, layers, policy());
    let hardware = machine_with(card(12 * GIB, Some(11 * GIB)), 32 * GIB, Some(28 * GIB));
    let memory = make_plan(&candidate, &hardware, policy()).memory;
    let need = memory.kv_gpu_bytes + memory.kv_ram_bytes + 20 * u64::from(MIN_CONTEXT_TOKENS) + 6 * states;
    assert!((need..need + MIB).contains(&memory.prompt_cache_ram_bytes), "{memory:?}, {need}");
    assert_eq!(memory.checkpoints_ram_bytes, 6 * states);

    // Where main memory is short there are fewer, and two at least.
    let rest = memory.ram_required_bytes - memory.prompt_cache_ram_bytes - 6 * states;
    let with = |free: u64| {
        let hardware = machine_with(card(12 * GIB, Some(11 * GIB)), 32 * GIB, Some(free));
        let plan = make_plan(&candidate, &hardware, policy());
        (plan.context_checkpoints(), plan.memory.ram_required_bytes > free)
    };
    assert_eq!(with(28 * GIB), (Some(6), false));
    assert_eq!(with(rest + 4 * states), (Some(4), false));
    assert_eq!(with(rest + 2 * states), (Some(2), false));
    assert_eq!(with(rest + 2 * states - 1), (Some(2), true));
    let dense = custom_candidate(
        Catalogue::built_in().find("qwen2.5-coder:3b").expect("a model of the catalogue"),
        KvCacheType::F16,
        MIN_CONTEXT_TOKENS,
        Layers::Fit,
        policy(),
    );
    assert_eq!(
        make_plan(&dense, &hardware, policy()).context_checkpoints(),
        None,
        "it has neither windows nor states"
    );
}
