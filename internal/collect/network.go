package collect

import (
	"context"
	"strings"

	"github.com/shirou/gopsutil/v4/net"

	"metricd/internal/storage"
)

// readNetwork reads what each interface received and sent. Left out are those that never carried anything, and the ends of
// containers' cables, which come and go under a new name each time; what they carry goes over a bridge, too.
func readNetwork(ctx context.Context) ([]figure, error) {
	interfaces, err := net.IOCountersWithContext(ctx, true)
	var figures []figure
	for _, c := range interfaces {
		if strings.HasPrefix(c.Name, "veth") || c.PacketsRecv == 0 && c.PacketsSent == 0 {
			continue
		}
		of := storage.Label{Name: "device", Value: c.Name}
		figures = append(figures,
			figure{"net.received_bytes_total", of, float64(c.BytesRecv)},
			figure{"net.sent_bytes_total", of, float64(c.BytesSent)},
			figure{"net.received_packets_total", of, float64(c.PacketsRecv)},
			figure{"net.sent_packets_total", of, float64(c.PacketsSent)},
			figure{"net.received_errors_total", of, float64(c.Errin)},
			figure{"net.sent_errors_total", of, float64(c.Errout)},
			figure{"net.received_dropped_total", of, float64(c.Dropin)},
			figure{"net.sent_dropped_total", of, float64(c.Dropout)},
		)
	}
	return figures, err
}
