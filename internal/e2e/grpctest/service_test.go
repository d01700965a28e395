package grpctest

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// service answers the calls of gRPC's own interoperability tests.
type service struct {
	pb.UnimplementedTestServiceServer
}

// UnaryCall sends back the payload, or fails with the status that is asked for.
func (service) UnaryCall(ctx context.Context, in *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	if s := in.GetResponseStatus(); s != nil {
		return nil, status.Error(codes.Code(s.GetCode()), s.GetMessage())
	}
	_ = grpc.SetTrailer(ctx, metadata.Pairs("x-trailing", "after"))
	return &pb.SimpleResponse{Payload: in.GetPayload(), Username: "weir"}, nil
}

// StreamingInputCall adds up the sizes of what comes.
func (service) StreamingInputCall(stream grpc.ClientStreamingServer[pb.StreamingInputCallRequest, pb.StreamingInputCallResponse]) error {
	sum := 0
	for {
		in, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(&pb.StreamingInputCallResponse{AggregatedPayloadSize: int32(sum)})
		}
		if err != nil {
			return err
		}
		sum += len(in.GetPayload().GetBody())
	}
}

// StreamingOutputCall sends payloads of the sizes asked for.
func (service) StreamingOutputCall(in *pb.StreamingOutputCallRequest, stream grpc.ServerStreamingServer[pb.StreamingOutputCallResponse]) error {
	return sendAll(in, stream)
}

// FullDuplexCall answers each request before it waits for the next.
func (service) FullDuplexCall(stream grpc.BidiStreamingServer[pb.StreamingOutputCallRequest, pb.StreamingOutputCallResponse]) error {
	for {
		in, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = sendAll(in, stream)
		}
		if err != nil {
			return err
		}
	}
}

// sender is the server's half of a stream of answers.
type sender interface {
	Send(out *pb.StreamingOutputCallResponse) error
}

func sendAll(in *pb.StreamingOutputCallRequest, to sender) error {
	for _, p := range in.GetResponseParameters() {
		out := &pb.StreamingOutputCallResponse{Payload: &pb.Payload{Body: make([]byte, p.GetSize())}}
		if err := to.Send(out); err != nil {
			return err
		}
	}
	return nil
}
