import Faultline

/// A child that runs a block of the script while its parent waits.
extension ScriptRunner {
  /// The child has a copy of the parent's memory and shares its open files. What it maps, opens and closes is its own and ends
  /// with it; what it does to files stays. Its results come before that of the fork, which counts no faults.
  func fork(_ block: [OperationScript.Line], each: (JSONValue) -> Void) throws(ScriptRunError) -> Outcome {
    let child: AddressSpace
    do {
      child = try space.fork()
    } catch {
      return .failed(error.errno)
    }
    let parent = (space, files, mappings, nextFreePage, line)
    space = child
    defer {
      let links = files.map(\.isLinked)
      (space, files, mappings, nextFreePage, line) = parent
      for index in files.indices { files[index].isLinked = links[index] }
    }
    try run(block, by: "child", each: each)
    var outcome = Outcome()
    outcome.details = [.init("child", .string("exit 0"))]
    return outcome
  }
}
