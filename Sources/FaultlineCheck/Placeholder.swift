// FaultlineCheck
