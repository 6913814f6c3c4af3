import Glibc

/// How much the hunts do: little in a run of all tests, and as much as `scripts/fs-hunt` asks for.
enum Hunt {
  static func count(_ variable: String, orElse usual: Int) -> Int {
    getenv(variable).flatMap { Int(String(cString: $0)) } ?? usual
  }
}
