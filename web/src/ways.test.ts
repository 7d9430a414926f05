import { expect, it } from 'vitest';
import { waysOf } from './ways';

const page = (address: string) => new URL(address);
const commands = (line: string, address: string) => waysOf(line, page(address)).map((way) => way.command);

it('has the addresses of the server', () => {
  expect(commands('127.0.0.1:8888', 'http://127.0.0.1:8889/').slice(0, 4)).toEqual([
    'metricd collect',
    'metricd put palm.cpu 23.7',
    'telnet 127.0.0.1 8888\nput palm.cpu 23.7 1150864247',
    'echo put palm.cpu 23.7 1150864247 | curl --data-binary @- http://127.0.0.1:8889/api/v1/import',
  ]);
});

it('calls a server that listens everywhere as the page was called', () => {
  expect(commands('[::]:9000', 'https://metrics.example/below/#browse').slice(1, 4)).toEqual([
    'metricd put --addr metrics.example:9000 palm.cpu 23.7',
    'telnet metrics.example 9000\nput palm.cpu 23.7 1150864247',
    'echo put palm.cpu 23.7 1150864247 | curl --data-binary @- https://metrics.example/below/api/v1/import',
  ]);
  expect(commands('0.0.0.0:9000', 'http://[::1]:8889/')[0]).toBe('metricd collect --addr [::1]:9000');
  expect(commands('', 'http://127.0.0.1:8889/')[0]).toBe('metricd collect');
});
