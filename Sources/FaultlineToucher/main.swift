import FaultlineWhatIf
import Glibc

exit(TouchProgram.run(Array(CommandLine.arguments.dropFirst())))
