# The one source list of the portable core: every target (host, AVR, lx106) takes it from here.
# *_TEXT: words for people, host programs only.
set(SL_BASE_SOURCES base/bytes.c base/crc.c)
set(SL_BASE_TEXT_SOURCES base/status.c)
set(SL_MQTT_SOURCES mqtt/decode.c mqtt/encode.c mqtt/inbound.c mqtt/outbound.c mqtt/reason.c mqtt/session.c mqtt/topic.c mqtt/utf8.c)
set(SL_MQTT_TEXT_SOURCES mqtt/reason_text.c)
set(SL_TLS_SOURCES tls/tls.c tls/hello.c tls/signer.c tls/verifier.c tls/chain.c tls/random.c tls/request.c)
set(SL_TLS_TEXT_SOURCES tls/tls_text.c)
set(SL_CLOCK_SOURCES clock/clock.c clock/sntp.c)
set(SL_ZONE_SOURCES zone/zone.c)
set(SL_LINK_SOURCES link/frame.c link/master.c)
set(SL_LINK_SLAVE_SOURCES link/slave.c)
set(SL_STORE_SOURCES store/identity.c store/records.c store/record_format.c)
set(SL_ENROL_SOURCES enrol/frame.c)
set(SL_ENROL_TEXT_SOURCES enrol/text.c enrol/host.c) # the device has no host
set(SL_NODE_SOURCES node/node.c node/connection.c node/control.c node/publish.c node/report.c
    node/answer.c node/command.c node/grant.c node/enrolment.c node/kept.c node/opening.c node/renewal.c node/topic.c node/trouble.c node/backoff.c node/text.c)
set(SL_NODE_TEXT_SOURCES node/log_text.c)
