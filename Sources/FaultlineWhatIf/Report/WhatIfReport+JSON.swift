extension WhatIfReport {
  /// The shape that `whatif --json` and `replay --json` promise.
  public var json: JSON {
    .object([
      .init("program", .array(program.map { .string($0) })),
      .init("kernelRules", .string(kernelRules)),
      .init("cache", .string(cache.rawValue)),
      .init("trace", trace.json),
      .init("policies", .array(outcomes.indices.map { json(outcomes[$0], isBest: $0 == bestIndex) })),
      .init("costs", costs.json),
      .init("why", bestSentence.map { .string($0) } ?? .null),
      .init("notes", .array(notes.map { .string($0) })),
      .init("verification", .array(verification.map(\.json))),
      .init("assertions", .array(assertions.map(\.json))),
    ])
  }

  private func json(_ outcome: PolicyOutcome, isBest: Bool) -> JSON {
    let counts = outcome.counts
    return .object([
      .init("name", .string(outcome.policy.name)),
      .init("verifiable", .bool(outcome.policy.isVerifiable)),
      .init("madvise", .string(outcome.policy.madvise.rawValue)),
      .init("readaheadBytes", .unsigned(orNull: outcome.readaheadBytes)),
      .init("faultAroundBytes", .unsigned(outcome.policy.faultAroundBytes)),
      .init("memoryBytes", .null),
      .init("majorFaults", .unsigned(counts.majorFaults)),
      .init("minorFaults", .unsigned(counts.minorFaults)),
      .init("pagesMapped", .unsigned(counts.pagesMapped)),
      .init("pagesMappedHuge", .unsigned(counts.pagesMappedHuge)),
      .init("pagesCached", .unsigned(counts.pagesCached)),
      .init("readBytes", .unsigned(counts.readBytes)),
      .init("readRequests", .unsigned(counts.readRequests)),
      .init("estimatedNanoseconds", .number(outcome.estimated.rounded())),
      .init("best", .bool(isBest)),
    ])
  }
}

extension TraceSummary {
  var json: JSON {
    .object([
      .init("touches", .integer(Int64(touches))), .init("untimed", .integer(Int64(untimed))),
      .init("lost", .integer(Int64(lost))), .init("coarse", .bool(isCoarse)),
      .init(
        "files",
        .array(
          files.map { file in
            .object([
              .init("path", .string(file.path)), .init("pages", .unsigned(file.pages)),
              .init("residentBefore", .unsigned(orNull: file.residentBefore)),
            ])
          })),
    ])
  }
}

extension EventCosts {
  var json: JSON {
    .object([
      .init("faultNanoseconds", .number(faultNanoseconds.rounded())),
      .init("mappedPageNanoseconds", .number(mappedPageNanoseconds.rounded())),
      .init("readRequestNanoseconds", .number(readRequestNanoseconds.rounded())),
      .init("megabyteNanoseconds", .number(megabyteNanoseconds.rounded())),
      .init("origin", .string(origin)),
    ])
  }
}

extension PolicyVerification {
  var json: JSON {
    .object([
      .init("policy", .string(policy)),
      .init("predicted", predicted.json),
      .init("measured", .array(measured.map(\.json))),
      .init("processReadBytes", .array(processReadBytes.map { .unsigned($0) })),
      .init("withinRange", .bool(isWithinRange)),
      .init("equal", .bool(isEqual)),
    ])
  }
}

extension VerifiedCounts {
  var json: JSON {
    .object(VerifiedCounts.columns.map { .init($0.key, .unsigned(self[keyPath: $0.value])) })
  }
}
