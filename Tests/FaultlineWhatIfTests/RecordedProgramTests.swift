import Testing

@testable import FaultlineWhatIf

@Suite struct RecordedProgramTests {
  @Test(arguments: RecordedProgram.allCases)
  func withoutFaultAroundEveryRecordedFaultHappensAndNoOther(_ program: RecordedProgram) throws {
    let touches = try program.firstTouches()
    #expect(try touches.imported().faults(order: 0) == touches.fileFaults)
  }

  @Test(arguments: RecordedProgram.allCases)
  func atTheSameAddressesTheUsualWindowFaultsAsOftenAsTheKernelCounted(_ program: RecordedProgram) throws {
    let (touches, around) = (try program.firstTouches(), try program.around())
    #expect(try touches.placed(as: around).imported().faults(order: 4) == around.fileFaults)
  }

  @Test(arguments: RecordedProgram.allCases)
  func atAddressesOfItsOwnItStaysWithinThreePercent(_ program: RecordedProgram) throws {
    let (touches, around) = (try program.firstTouches(), try program.around())
    let (predicted, counted) = (try touches.imported().faults(order: 4), around.fileFaults)
    #expect(max(predicted, counted) - min(predicted, counted) <= counted * 3 / 100)
  }

  @Test func placingChangesAddressesAndNothingElse() throws {
    let (touches, around) = (try RecordedProgram.git.firstTouches(), try RecordedProgram.git.around())
    let placed = touches.placed(as: around)
    #expect(placed.fileFaults == touches.fileFaults)
    #expect(try placed.imported().faults(order: 0) == touches.fileFaults)
    func targets(_ text: TextTrace) -> [TextTraceFault.FilePage?] {
      text.lines.compactMap { if case .fault(let fault) = $0 { .some(fault.target) } else { nil } }
    }
    #expect(targets(placed) == targets(touches))
    #expect(touches.placed(as: touches).lines == touches.lines)
  }
}
