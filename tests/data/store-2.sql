-- A store of schema 2 with a few records, as `.dump` prints it, and the two pragmas that this leaves out.
PRAGMA application_id = 1128811609;
PRAGMA user_version = 2;
BEGIN TRANSACTION;
CREATE TABLE charley_episode (device TEXT NOT NULL, site TEXT NOT NULL, onset_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL, status TEXT NOT NULL, revision INTEGER NOT NULL, severity REAL, severity_amplitude REAL, severity_duration REAL, severity_load REAL, severity_recruitment REAL, grade INTEGER NOT NULL, peak_uv REAL, peak_ratio REAL, load REAL, confidence REAL, flags TEXT NOT NULL, sites TEXT NOT NULL, detector TEXT NOT NULL, params TEXT NOT NULL, superseded_by TEXT NOT NULL, updated_ns INTEGER NOT NULL, PRIMARY KEY (device, onset_ns, site)) STRICT, WITHOUT ROWID;
INSERT INTO "charley_episode" VALUES('leg-1','soleus',1790000000123456789,1790000042000000001,'final',1,6.25,7.0,5.0,6.0,2.5,2,312.5,61.0,33.3,0.9,'hum','soleus,gastrocnemius_medialis','0.1.0','0f3a','',7);
INSERT INTO "charley_episode" VALUES('leg-2','soleus',1790000000123456789,1790000042000000001,'rejected',1,6.25,7.0,5.0,6.0,2.5,2,312.5,61.0,NULL,0.9,'a\,b,\0,it''s','soleus,gastrocnemius_medialis','0.1.0','0f3a','',7);
CREATE TABLE charley_epoch (device TEXT NOT NULL, site TEXT NOT NULL, start_ns INTEGER NOT NULL, received_s REAL, worn_s REAL, usable_s REAL, rms_uv REAL, rest_uv REAL, median_hz REAL, movement_g REAL, angle_deg REAL, flags TEXT NOT NULL, updated_ns INTEGER NOT NULL, PRIMARY KEY (device, start_ns, site)) STRICT, WITHOUT ROWID;
INSERT INTO "charley_epoch" VALUES('leg-1','soleus',1790000000000000000,10.0,10.0,9.5,4.5,3.25,81.5,0.01,12.0,'',7);
INSERT INTO "charley_epoch" VALUES('leg-1','soleus',1790000010000000000,10.0,10.0,0.0,NULL,3.25,NULL,0.01,12.0,'motion,off',7);
CREATE TABLE charley_service (name TEXT NOT NULL, started_ns INTEGER NOT NULL, beat_ns INTEGER NOT NULL, version TEXT NOT NULL, accepting INTEGER NOT NULL, reason TEXT NOT NULL, connected INTEGER NOT NULL, unacked INTEGER NOT NULL, outbox INTEGER NOT NULL, event_outbox INTEGER NOT NULL, oldest_outbox_ns INTEGER NOT NULL, revising INTEGER NOT NULL, journal_bytes INTEGER NOT NULL, free_bytes INTEGER NOT NULL, lag_s REAL, updated_ns INTEGER NOT NULL, PRIMARY KEY (name)) STRICT, WITHOUT ROWID;
CREATE TABLE charley_status (device TEXT NOT NULL, boot INTEGER NOT NULL, online INTEGER NOT NULL, firmware TEXT NOT NULL, sites TEXT NOT NULL, battery REAL, last_received_ns INTEGER NOT NULL, last_sample_ns INTEGER NOT NULL, missing_blocks INTEGER NOT NULL, clock_offset_s REAL, clock_drift_ppm REAL, late_blocks INTEGER NOT NULL, undated_blocks INTEGER NOT NULL, refused_blocks INTEGER NOT NULL, refused_reason TEXT NOT NULL, updated_ns INTEGER NOT NULL, PRIMARY KEY (device)) STRICT, WITHOUT ROWID;
INSERT INTO "charley_status" VALUES('leg-1',3,1,'1.2','soleus',0.5,5,4,2,0.0,0.0,0,0,0,'',9);
INSERT INTO "charley_status" VALUES('leg-2',1,0,'','',NULL,0,0,0,0.0,0.0,0,0,0,'',0);
COMMIT;
