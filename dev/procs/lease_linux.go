package procs

import (
	"os/exec"
	"syscall"
)

// lease lets the kernel kill a process when the thread that started it dies: not even a kill -9 of the test leaves it
// behind.
func lease(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
