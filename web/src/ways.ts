// Ways to send a first sample: commands to copy, with the addresses of this server in them.

export interface Way {
  title: string;
  command: string;
}

/** waysOf fills in the addresses: that of the line protocol as the server tells it, HOST:PORT, and that of the page. */
export function waysOf(lineAddress: string, page: Pick<Location, 'origin' | 'hostname' | 'pathname'>): Way[] {
  const at = lineAddress.lastIndexOf(':');
  const port = at < 0 ? '8888' : lineAddress.slice(at + 1);
  const told = at < 0 ? '' : lineAddress.slice(0, at).replace(/^\[(.*)\]$/, '$1');
  // A server that listens on all addresses is called as the page was.
  const host = told === '' || told === '0.0.0.0' || told === '::' ? page.hostname.replace(/^\[(.*)\]$/, '$1') : told;
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const flag = address === '127.0.0.1:8888' || address === 'localhost:8888' ? '' : ` --addr ${address}`;
  const base = page.origin + page.pathname.replace(/[^/]*$/, '');
  return [
    { title: 'This machine’s processor, memory, disks and network', command: `metricd collect${flag}` },
    { title: 'One sample', command: `metricd put${flag} palm.cpu 23.7` },
    { title: 'By hand: telnet, then type a line', command: `telnet ${host} ${port}\nput palm.cpu 23.7 1150864247` },
    { title: 'curl', command: `echo put palm.cpu 23.7 1150864247 | curl --data-binary @- ${base}api/v1/import` },
    {
      title: 'Python',
      command: [
        'import socket, time',
        `with socket.create_connection(("${host}", ${port})) as s:`,
        '    s.sendall(b"put palm.cpu 23.7 %d\\n" % time.time())',
        '    print(s.recv(100))',
      ].join('\n'),
    },
  ];
}
