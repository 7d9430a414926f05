package metricd

import (
	"log/slog"

	"metricd/internal/collect"
)

// collecting returns how this machine's own figures are to be stored; Interval 0: they are not. Its errors are of type *ConfigError.
func collecting(cfg Config) (collect.Config, error) {
	if cfg.CollectInterval == 0 {
		return collect.Config{}, nil
	}
	if err := collect.CheckInterval(cfg.CollectInterval); err != nil {
		return collect.Config{}, &ConfigError{"CollectInterval", cfg.CollectInterval.String(), err}
	}
	if cfg.CollectHost != "" {
		if err := collect.CheckHost(cfg.CollectHost); err != nil {
			return collect.Config{}, &ConfigError{"CollectHost", cfg.CollectHost, err}
		}
	}
	log := cfg.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return collect.Config{Interval: cfg.CollectInterval, Tags: cfg.CollectTags, Host: cfg.CollectHost, Logger: log}, nil
}
