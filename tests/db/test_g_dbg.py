import logging, sys
sys.path.insert(0,'/work/main/tests/api')
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from rl_emails_assets.db.schema import metadata
from rl_emails_assets.db.tables.base import SCHEMAS
from fastapi.testclient import TestClient
def test_x(engine):
    logging.getLogger('alembic').setLevel(logging.DEBUG); logging.basicConfig(level=logging.DEBUG)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection,opts={"include_schemas": True,"include_name": lambda name, kind, _: kind != "schema" or name in SCHEMAS,"compare_server_default": True})
        d=compare_metadata(context, metadata)
    print([x for x in d if x[0]!='add_table_comment'][:4])
    assert 0
def test_y(engine, settings):
    import seed, serving
    from rl_emails_api.app import create_app
    from rl_emails_assets.settings import Settings
    seed.seed(engine)
    app=create_app(engine,Settings(token='t'),load_encoder=serving.WordEncoder)
    with TestClient(app, base_url='http://127.0.0.1') as c:
        r=c.get('/v1/search',params={'q':'pier quote'},headers={'Authorization':'Bearer t'})
        print(r.status_code,r.text)
    assert 0
