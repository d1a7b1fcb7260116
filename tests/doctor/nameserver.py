"""A small name server on a loopback port, so that the real resolver is what is tested."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

Records = dict[tuple[str, str], list[str]]


@contextmanager
def nameserver(records: Records, silent: frozenset[str] = frozenset()) -> Iterator[str]:
    """Serve these records, (name, type) → values; of `silent` names nothing is ever said. Yields where."""

    class Asked(socketserver.DatagramRequestHandler):
        def handle(self) -> None:
            query = dns.message.from_wire(self.rfile.read())
            name = query.question[0].name.to_text(omit_final_dot=True)
            kind = query.question[0].rdtype.name
            if name in silent:
                return
            reply = dns.message.make_response(query)
            reply.flags |= dns.flags.RA
            if values := records.get((name, kind)):
                reply.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", kind, *values))
            elif not any(known == name for known, _ in records):
                reply.set_rcode(dns.rcode.NXDOMAIN)
            self.wfile.write(reply.to_wire())

    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Asked) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join(5)
