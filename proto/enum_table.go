package flowpb

// The enum values under Go's own names; the generated ones carry protobuf's
// prefixes twice. What each means is said in flow.proto.

// Values of [State].
const (
	StateUnspecified = State_STATE_UNSPECIFIED
	StateRequest     = State_STATE_REQUEST
	StateWaiting     = State_STATE_WAITING
	StateResponse    = State_STATE_RESPONSE
	StateOpen        = State_STATE_OPEN
	StateComplete    = State_STATE_COMPLETE
	StateError       = State_STATE_ERROR
)

// Values of [Replay].
const (
	ReplayNone     = Replay_REPLAY_NONE
	ReplayRequest  = Replay_REPLAY_REQUEST
	ReplayResponse = Replay_REPLAY_RESPONSE
)

// Values of [Side].
const (
	SideUnspecified      = Side_SIDE_UNSPECIFIED
	SideRequest          = Side_SIDE_REQUEST
	SideResponse         = Side_SIDE_RESPONSE
	SideOriginalRequest  = Side_SIDE_ORIGINAL_REQUEST
	SideOriginalResponse = Side_SIDE_ORIGINAL_RESPONSE
)

// Values of [ErrorCode].
const (
	CodeUnspecified = ErrorCode_ERROR_CODE_UNSPECIFIED
	CodeDNS         = ErrorCode_ERROR_CODE_DNS
	CodeConnect     = ErrorCode_ERROR_CODE_CONNECT
	CodeTimeout     = ErrorCode_ERROR_CODE_TIMEOUT
	CodeTLS         = ErrorCode_ERROR_CODE_TLS
	CodeProtocol    = ErrorCode_ERROR_CODE_PROTOCOL
	CodeClientGone  = ErrorCode_ERROR_CODE_CLIENT_GONE
	CodeServerGone  = ErrorCode_ERROR_CODE_SERVER_GONE
	CodeOwnAddress  = ErrorCode_ERROR_CODE_OWN_ADDRESS
	CodeLimit       = ErrorCode_ERROR_CODE_LIMIT
	CodeKilled      = ErrorCode_ERROR_CODE_KILLED
	CodeRecording   = ErrorCode_ERROR_CODE_RECORDING
	CodeStopped     = ErrorCode_ERROR_CODE_STOPPED
	CodeRefused     = ErrorCode_ERROR_CODE_REFUSED
	CodeInternal    = ErrorCode_ERROR_CODE_INTERNAL
)

// Values of [BodyState].
const (
	BodyUnspecified = BodyState_BODY_STATE_UNSPECIFIED
	BodyStreaming   = BodyState_BODY_STATE_STREAMING
	BodyComplete    = BodyState_BODY_STATE_COMPLETE
	BodyCut         = BodyState_BODY_STATE_CUT
	BodyDropped     = BodyState_BODY_STATE_DROPPED
)

// Values of [MessageType].
const (
	MessageUnspecified = MessageType_MESSAGE_TYPE_UNSPECIFIED
	MessageData        = MessageType_MESSAGE_TYPE_DATA
	MessageText        = MessageType_MESSAGE_TYPE_TEXT
	MessageBinary      = MessageType_MESSAGE_TYPE_BINARY
	MessagePing        = MessageType_MESSAGE_TYPE_PING
	MessagePong        = MessageType_MESSAGE_TYPE_PONG
	MessageClose       = MessageType_MESSAGE_TYPE_CLOSE
	MessageEvent       = MessageType_MESSAGE_TYPE_EVENT
)

// Values of [Transport].
const (
	TransportUnspecified = Transport_TRANSPORT_UNSPECIFIED
	TransportTCP         = Transport_TRANSPORT_TCP
	TransportUDP         = Transport_TRANSPORT_UDP
)
