package metricd

import (
	"fmt"

	"metricd/internal/httpapi"
)

// ConfigError says that a field of Config can't be as it is.
type ConfigError struct {
	Field string // HTTPHosts, CORSOrigins, WebConfig, CollectInterval or CollectHost
	Value string // of the field, or the one of its values that is wrong
	Err   error
}

func (e *ConfigError) Error() string { return fmt.Sprintf("%s %s: %v", e.Field, e.Value, e.Err) }

// Unwrap returns the cause.
func (e *ConfigError) Unwrap() error { return e.Err }

// checkHTTP checks what cfg says of who may ask over HTTP. Its errors are of type *ConfigError.
func checkHTTP(cfg Config) (security httpapi.Security, err error) {
	for _, host := range cfg.HTTPHosts {
		if err := httpapi.CheckHost(host); err != nil {
			return security, &ConfigError{"HTTPHosts", host, err}
		}
	}
	for _, origin := range cfg.CORSOrigins {
		if err := httpapi.CheckOrigin(origin); err != nil {
			return security, &ConfigError{"CORSOrigins", origin, err}
		}
	}
	if cfg.WebConfig == "" {
		return security, nil
	}
	if security, err = httpapi.CheckWebConfig(cfg.WebConfig); err != nil {
		return security, &ConfigError{"WebConfig", cfg.WebConfig, err}
	}
	return security, nil
}
