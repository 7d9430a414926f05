// The figures of Status, from the server's own metrics, which can be queried as others can.

import type { Unit } from './units';

export interface Figure {
  title: string;
  query: string;
  unit: Unit;
  hint?: string; // what it means, where the title does not say
  onDisk?: boolean; // has no meaning for a server that keeps nothing in files
}

/** The server takes its own figures every 15 seconds. A rate over a minute has four or five of them. */
export const figures: readonly Figure[] = [
  { title: 'Samples taken', query: 'rate(metricd_storage_samples_appended_total[1m])', unit: 'per second', hint: 'by any protocol' },
  { title: 'Puts', query: 'sum(rate(metricd_requests_total{command="put"}[1m]))', unit: 'per second', hint: 'lines of the line protocol' },
  { title: 'Errors', query: 'sum(rate(metricd_request_errors_total[1m]))', unit: 'per second', hint: 'requests that were refused' },
  { title: 'Series', query: 'metricd_storage_series', unit: 'none' },
  { title: 'Samples', query: 'metricd_storage_samples', unit: 'none' },
  { title: 'Connections', query: 'sum(metricd_connections)', unit: 'none', hint: 'open, of all protocols' },
  { title: 'Memory', query: 'process_resident_memory_bytes', unit: 'bytes', hint: 'of the process' },
  { title: 'CPU', query: 'rate(process_cpu_seconds_total[1m])', unit: 'ratio', hint: '100 % is one core' },
  {
    title: 'Sync latency',
    query: 'histogram_quantile(0.99, rate(metricd_storage_log_sync_duration_seconds_bucket[1m]))',
    unit: 'seconds',
    hint: 'until samples are on disk, of 99 in 100',
    onDisk: true,
  },
  {
    title: 'Sync, the median',
    query: 'histogram_quantile(0.5, rate(metricd_storage_log_sync_duration_seconds_bucket[1m]))',
    unit: 'seconds',
    hint: 'until samples are on disk, of one in two',
    onDisk: true,
  },
  { title: 'Chunks on disk', query: 'metricd_storage_disk_bytes', unit: 'bytes', onDisk: true },
  {
    title: 'Disk a sample',
    query: '(metricd_storage_disk_bytes + metricd_storage_log_bytes) / (metricd_storage_samples > 0)',
    unit: 'bytes',
    hint: 'chunks and log',
    onDisk: true,
  },
  { title: 'Log', query: 'metricd_storage_log_bytes', unit: 'bytes', hint: 'what a restart reads', onDisk: true },
  { title: 'Flushes', query: 'metricd_storage_flush_duration_seconds_count', unit: 'none', hint: 'from the log to chunks, since the start', onDisk: true },
  { title: 'Free on disk', query: 'metricd_storage_disk_free_bytes', unit: 'bytes', hint: 'what may still be written', onDisk: true },
];
