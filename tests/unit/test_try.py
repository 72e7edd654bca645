import time
from kata_lib.mesh import in_force, synced
P=("deploy/v1","deploy/v2","deploy/virtual-service-canary.yaml")
def test_a(start_api):
    start_api(*P)
    for i in range(3):
        t=time.time(); p=time.process_time()
        def lap(what):
            nonlocal t,p
            print(what, round(1000*(time.time()-t)),round(1000*(time.process_time()-p)))
            t=time.time(); p=time.process_time()
        a=start_api(*P); lap("start")
        c=a.cluster(); lap("client")
        c.wait_ready(); lap("ready")
        print(in_force.read(c,"name","sentences")); lap("in force")
        synced.until(c,"sentences",synced.now(c,"sentences")); lap("synced")
        c.scale("name-v1",3); lap("scale")
        for p in P: c.delete(p)
        p=0
        lap("delete")
def test_b(api): pass
def test_c(api): pass
