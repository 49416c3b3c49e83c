import time, os
from datetime import UTC, datetime
from pathlib import Path
import pytest
from rl_emails_assets.settings import Settings
from rl_emails_assets.providers.gmail.client import GmailClient
from rl_emails_assets.providers.gmail.quota import QuotaBucket
from tests.gmail.mailbox_clients import add_mailbox
from tests.gmail.standin.remote import served_elsewhere
@pytest.mark.parametrize("size,latency",[(3000,0),(30000,0),(30000,0.05)])
def test_rate(engine, settings, tmp_path, size, latency):
    import base64
    with served_elsewhere(tmp_path,"--units-per-minute","1000000") as g:
        u=g.add_user("owner@example.org"); g.configure(**{"quota.concurrent_parts":[100,100],"latency_seconds":latency/20})
        body=base64.encodebytes(os.urandom(size*3//4))
        at=datetime(2026,1,1,tzinfo=UTC); ids=[]
        for i in range(10): ids+=u.fill([(b"Subject: %d\r\nMessage-ID: <%d@x>\r\n\r\n"%(n,n)+body,("INBOX",),at) for n in range(i*100,i*100+100)])
        tok=u.act("access_token")
        class T:
            def access_token(self,*,rejected=None): return tok
        s=Settings(**{**settings.model_dump(),**g.settings_overrides()}); q=QuotaBucket(engine,s,add_mailbox(engine,"owner@example.org"))
        with GmailClient(s,T(),q) as c:
            t=time.perf_counter(); cpu=time.process_time(); r=c.get_raw(ids); dt=time.perf_counter()-t; cpu=time.process_time()-cpu
        print(f"\n{size} bytes, latency {latency*1000:.0f} ms: {len(r)/dt:.0f} msg/s, {cpu/len(r)*1000:.2f} ms cpu each here", {type(x).__name__ for x in r})
