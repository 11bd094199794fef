BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0002');
CREATE TABLE candidates (
	id VARCHAR(64) NOT NULL, 
	files TEXT NOT NULL, 
	params TEXT NOT NULL, 
	CONSTRAINT pk_candidates PRIMARY KEY (id)
);
INSERT INTO "candidates" VALUES('d084335e3ad4e27e','{"kernel.c":"6e9f6702aa8720cb48d94a900492372b07af2e35780f5ab4460c68a2f443b9a3"}','{"tile":1}');
CREATE TABLE environments (
	id VARCHAR(64) NOT NULL, 
	device TEXT NOT NULL, 
	body TEXT NOT NULL, 
	CONSTRAINT pk_environments PRIMARY KEY (id)
);
CREATE TABLE events (
	stream VARCHAR(128) NOT NULL, 
	seq BIGINT NOT NULL, 
	"key" VARCHAR(128), 
	kind VARCHAR(64) NOT NULL, 
	body TEXT NOT NULL, 
	created VARCHAR(40) NOT NULL, 
	CONSTRAINT pk_events PRIMARY KEY (stream, seq), 
	CONSTRAINT uq_events_stream_key UNIQUE (stream, "key")
);
CREATE TABLE files (
	id VARCHAR(64) NOT NULL, 
	content BLOB NOT NULL, 
	CONSTRAINT pk_files PRIMARY KEY (id)
);
INSERT INTO "files" VALUES('6e9f6702aa8720cb48d94a900492372b07af2e35780f5ab4460c68a2f443b9a3',X'766F6964206628766F696429207B7D');
CREATE TABLE job_labels (
	job VARCHAR(64) NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	value VARCHAR(256) NOT NULL, 
	CONSTRAINT pk_job_labels PRIMARY KEY (job, name), 
	CONSTRAINT fk_job_labels_job FOREIGN KEY(job) REFERENCES jobs (id) ON DELETE CASCADE
);
CREATE TABLE jobs (
	id VARCHAR(64) NOT NULL, 
	idempotency_key VARCHAR(200), 
	domain VARCHAR(64) NOT NULL, 
	name TEXT NOT NULL, 
	target TEXT NOT NULL, 
	request TEXT NOT NULL, 
	owner VARCHAR(128) NOT NULL, 
	parent VARCHAR(64), 
	run VARCHAR(128), 
	state VARCHAR(16) NOT NULL, 
	priority INTEGER NOT NULL, 
	reason TEXT NOT NULL, 
	token BIGINT NOT NULL, 
	attempts INTEGER NOT NULL, 
	stalled INTEGER NOT NULL, 
	progress BIGINT NOT NULL, 
	progress_at_claim BIGINT NOT NULL, 
	worker VARCHAR(128) NOT NULL, 
	lease_until FLOAT, 
	created FLOAT NOT NULL, 
	started FLOAT, 
	finished FLOAT, 
	CONSTRAINT pk_jobs PRIMARY KEY (id), 
	CONSTRAINT uq_jobs_idempotency_key UNIQUE (idempotency_key)
);
CREATE TABLE llm_calls (
	id INTEGER NOT NULL, 
	run VARCHAR(128) NOT NULL, 
	"key" VARCHAR(128) NOT NULL, 
	model TEXT NOT NULL, 
	outcome VARCHAR(16) NOT NULL, 
	tokens BIGINT NOT NULL, 
	usd FLOAT NOT NULL, 
	seconds FLOAT NOT NULL, 
	body TEXT NOT NULL, input_tokens BIGINT DEFAULT '0' NOT NULL, output_tokens BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_llm_calls PRIMARY KEY (id), 
	CONSTRAINT fk_llm_calls_run FOREIGN KEY(run) REFERENCES runs (id) ON DELETE CASCADE, 
	CONSTRAINT uq_llm_calls_run_key UNIQUE (run, "key")
);
CREATE TABLE measurements (
	trial INTEGER NOT NULL, 
	provenance VARCHAR(16) NOT NULL, 
	unit VARCHAR(32) NOT NULL, 
	value FLOAT NOT NULL, 
	source TEXT NOT NULL, 
	environment VARCHAR(64) NOT NULL, 
	samples TEXT NOT NULL, 
	error TEXT NOT NULL, 
	CONSTRAINT pk_measurements PRIMARY KEY (trial), 
	CONSTRAINT fk_measurements_trial FOREIGN KEY(trial) REFERENCES trials (id) ON DELETE CASCADE
);
INSERT INTO "measurements" VALUES(1,'measured','us',10.0,'"cpu"','','[10.0,10.1,9.9]','""');
CREATE TABLE metadata (
	name VARCHAR(64) NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_metadata PRIMARY KEY (name)
);
INSERT INTO "metadata" VALUES('schema_version','0002');
INSERT INTO "metadata" VALUES('product_version','0.1.0');
CREATE TABLE notes (
	id INTEGER NOT NULL, 
	run VARCHAR(128) NOT NULL, 
	round INTEGER NOT NULL, 
	agent VARCHAR(64) NOT NULL, 
	body TEXT NOT NULL, 
	CONSTRAINT pk_notes PRIMARY KEY (id), 
	CONSTRAINT fk_notes_run FOREIGN KEY(run) REFERENCES runs (id) ON DELETE CASCADE, 
	CONSTRAINT uq_notes_run_round_agent UNIQUE (run, round, agent)
);
CREATE TABLE runs (
	id VARCHAR(128) NOT NULL, 
	task TEXT NOT NULL, 
	task_id VARCHAR(64) NOT NULL, 
	domain VARCHAR(64) NOT NULL, 
	name TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	target TEXT NOT NULL, 
	device_name TEXT NOT NULL, 
	arch TEXT NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	stop_reason TEXT NOT NULL, 
	facts TEXT, 
	device TEXT, 
	provenance VARCHAR(16) NOT NULL, 
	environment VARCHAR(64), 
	budget TEXT NOT NULL, 
	spent TEXT NOT NULL, 
	model TEXT NOT NULL, 
	baseline VARCHAR(64), 
	confirmed TEXT, 
	best VARCHAR(64), 
	created VARCHAR(40) NOT NULL, 
	finished VARCHAR(40) NOT NULL, 
	version VARCHAR(32) NOT NULL, 
	schema_version INTEGER NOT NULL, ratio FLOAT, 
	CONSTRAINT pk_runs PRIMARY KEY (id), 
	CONSTRAINT fk_runs_environment FOREIGN KEY(environment) REFERENCES environments (id)
);
INSERT INTO "runs" VALUES('run-1','{"domain":"kernels","name":"matmul","spec":{"operator":"matmul","shape":[512,512,512],"dtype":"float32"},"objective":{"metric":"time","unit":"us","minimise":true},"target":"host"}','505f664a9c149cf5','kernels','matmul','matmul','host','host','','running','""',NULL,NULL,'measured',NULL,'{"trials":100,"seconds":null,"tokens":null,"usd":null}','{"trials":0,"seconds":0.0,"tokens":0,"usd":0.0}','none',NULL,NULL,NULL,'2026-01-01T00:00:00.000+00:00','','0.1.0',1,NULL);
CREATE TABLE screenings (
	id INTEGER NOT NULL, 
	run VARCHAR(128) NOT NULL, 
	candidate VARCHAR(64) NOT NULL, 
	score FLOAT, 
	origin TEXT NOT NULL, 
	body TEXT NOT NULL, 
	CONSTRAINT pk_screenings PRIMARY KEY (id), 
	CONSTRAINT fk_screenings_candidate FOREIGN KEY(candidate) REFERENCES candidates (id), 
	CONSTRAINT fk_screenings_run FOREIGN KEY(run) REFERENCES runs (id) ON DELETE CASCADE, 
	CONSTRAINT uq_screenings_run_candidate UNIQUE (run, candidate)
);
CREATE TABLE stage_times (
	run VARCHAR(128) NOT NULL, 
	stage VARCHAR(64) NOT NULL, 
	count BIGINT NOT NULL, 
	seconds FLOAT NOT NULL, 
	CONSTRAINT pk_stage_times PRIMARY KEY (run, stage), 
	CONSTRAINT fk_stage_times_run FOREIGN KEY(run) REFERENCES runs (id) ON DELETE CASCADE
);
CREATE TABLE trials (
	id INTEGER NOT NULL, 
	run VARCHAR(128) NOT NULL, 
	candidate VARCHAR(64) NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	family TEXT NOT NULL, 
	origin TEXT NOT NULL, 
	body TEXT NOT NULL, 
	CONSTRAINT pk_trials PRIMARY KEY (id), 
	CONSTRAINT fk_trials_candidate FOREIGN KEY(candidate) REFERENCES candidates (id), 
	CONSTRAINT fk_trials_run FOREIGN KEY(run) REFERENCES runs (id) ON DELETE CASCADE, 
	CONSTRAINT uq_trials_run_candidate UNIQUE (run, candidate)
);
INSERT INTO "trials" VALUES(1,'run-1','d084335e3ad4e27e','ok','"tiled"','{"family":"tiled","origin":"user","parent":null,"note":""}','{"feedback":"","checks":[],"profile":null,"comparison":null,"cost":{"trials":0,"seconds":0.0,"tokens":0,"usd":0.0}}');
CREATE INDEX ix_jobs_lease ON jobs (state, lease_until);
CREATE INDEX ix_jobs_owner ON jobs (owner);
CREATE INDEX ix_jobs_queue ON jobs (state, priority, created);
CREATE INDEX ix_job_labels_name ON job_labels (name, value);
CREATE INDEX ix_runs_created ON runs (created);
CREATE INDEX ix_runs_similar ON runs (domain, subject);
CREATE INDEX ix_runs_state ON runs (state);
CREATE INDEX ix_runs_task_id ON runs (task_id);
CREATE INDEX ix_trials_candidate ON trials (candidate);
CREATE INDEX ix_measurements_environment ON measurements (environment);
CREATE INDEX ix_trials_status ON trials (status);
CREATE INDEX ix_jobs_open ON jobs (owner, state);
COMMIT;
