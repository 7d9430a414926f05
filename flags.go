package metricd

import "strconv"

// flags returns a Config as the flags of the command, for those who ask the HTTP API how the server was started.
func (cfg *Config) flags() map[string]string {
	data := cfg.Data
	if data == "" {
		data = InMemory
	}
	return map[string]string{
		"listen":          cfg.Listen,
		"http":            cfg.HTTP,
		"admin":           cfg.Admin,
		"web.config.file": cfg.WebConfig,
		"graphite":        cfg.Graphite,
		"data":            data,
		"fsync-interval":  cfg.SyncInterval.String(),
		"retention":       cfg.Retention.String(),
		"memory-limit":    strconv.FormatInt(cfg.MemoryLimit, 10),
		"max-series":      strconv.Itoa(cfg.MaxSeries),
		"max-connections": strconv.Itoa(cfg.MaxConns),
		"max-line":        strconv.Itoa(cfg.MaxLine),
		"max-key":         strconv.Itoa(cfg.MaxKey),
		"collect":         strconv.FormatBool(cfg.CollectInterval > 0),
	}
}
