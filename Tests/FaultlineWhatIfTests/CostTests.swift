import FaultlineWhatIf
import Testing

@Suite struct CostTests {
  @Test func estimateIsTheSumOfItsEvents() {
    let model = FixedCostModel(
      costs: EventCosts(
        faultNanoseconds: 500, mappedPageNanoseconds: 40, readRequestNanoseconds: 50_000, megabyteNanoseconds: 300_000,
        origin: "fixed"))
    var counts = ReplayCounts()
    counts.majorFaults = 2
    counts.minorFaults = 8
    counts.pagesMapped = 110
    counts.readRequests = 3
    counts.readBytes = 2_000_000
    let parts: [Double] = [10 * 500, 100 * 40, 3 * 50_000, 2 * 300_000]
    #expect(model.nanoseconds(for: counts) == parts.reduce(0, +))
  }

  @Test func faultsThatMapNothingCostNoNegativePages() {
    var counts = ReplayCounts()
    counts.minorFaults = 5
    #expect(FixedCostModel().nanoseconds(for: counts) == 2500)
  }

  @Test func machineIsMeasuredSoonWithSensibleFigures() throws {
    // Somebody else may have the processor during one measurement, hardly during all of them.
    let isSensible = try (0..<5).contains { _ in
      let clock = ContinuousClock()
      var model: CalibratedCostModel?
      let time = clock.measure { model = CalibratedCostModel(directories: ["/nonexistent", "/var/tmp", "/tmp"]) }
      let costs = try #require(model?.costs)
      #expect(costs.mappedPageNanoseconds >= 0)
      #expect(costs.readRequestNanoseconds >= 0)
      return time < .seconds(2) && (50...100_000).contains(costs.faultNanoseconds)
        && costs.mappedPageNanoseconds < costs.faultNanoseconds
    }
    #expect(isSensible)
  }

  @Test func withoutADirectoryThereIsNoMeasurement() {
    #expect(CalibratedCostModel(directories: ["/nonexistent", "/proc"]) == nil)
  }
}
