package tune

import (
	"bufio"
	"bytes"
	"os"
	"strconv"
	"strings"
)

// freeMemory returns the bytes a process could still take without others being pushed out: what the kernel calls
// available, within the limit of the container; 0 where neither is told.
func freeMemory() int64 {
	free := int64(0)
	if data, err := os.ReadFile("/proc/meminfo"); err == nil {
		lines := bufio.NewScanner(bytes.NewReader(data))
		for lines.Scan() {
			if f := strings.Fields(lines.Text()); len(f) > 1 && f[0] == "MemAvailable:" {
				n, _ := strconv.ParseInt(f[1], 10, 64)
				free = n << 10
			}
		}
	}
	limit, used := cgroupNumber("memory.max"), cgroupNumber("memory.current")
	if left := limit - used; limit > 0 && left > 0 && (free == 0 || left < free) {
		free = left
	}
	return free
}

// cgroupNumber reads a figure of the process's own control group (cgroup v2), 0 where there is none or no limit.
func cgroupNumber(name string) int64 {
	data, err := os.ReadFile("/sys/fs/cgroup/" + name)
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
	return n
}
